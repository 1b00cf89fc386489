"""Who someone is: accounts, profiles, logins."""
