"""The commands, gathered. A command's module is imported when the command is called for."""

import importlib
from pathlib import Path

import click

from cuemark.app.cli.failure import sentences
from cuemark.app.folder import DataFolder
from cuemark.kit.process import run_and_leave

DEFAULT_FOLDER = "./data"

COMMANDS = {
    "appliance": ("appliance:appliance", "Serve films as one appliance, without an install."),
    "artwork": ("artwork:artwork", "Choose the picture that stands for a title."),
    "backup": ("backup:backup", "Back up everything, while it runs."),
    "doctor": ("doctor:doctor", "Check this machine, and say how to mend what is not right."),
    "down": ("service:down", "Stop everything, in order."),
    "farm": ("farm:farm", "Say which workers there are, what each does, and what waits."),
    "ingest": ("ingest:ingest", "Upload a film and encode it."),
    "launch": ("launch:launch", "Say or set when members may see a title."),
    "logs": ("logs:logs", "Show what every process wrote, or what one request caused."),
    "operations": ("operations:operations", "Print a link that opens the page of operations."),
    "play": ("play:play", "Play a title as a device would, without a screen."),
    "report": ("report:report", "Show how a version came about, and what it measures."),
    "restore": ("backup:restore", "Put a backup into an empty data folder."),
    "run": ("run:run", "Run a part of the control plane in a process of its own."),
    "status": ("status:status", "Say what runs, what is made and watched, what went wrong."),
    "traffic": ("traffic:traffic", "Say what the appliances delivered, and from where."),
    "up": ("up:up", "Start everything, and keep it running."),
}
APPLIANCE_COMMANDS = {
    "drain": ("appliances:drain", "Lead plays away from an appliance."),
    "list": ("appliances:list_appliances", "Say which appliances there are, and how they do."),
    "undrain": ("appliances:undrain", "Let an appliance have plays again."),
}
FUNCTION_COMMANDS = {
    "check": ("functions:check", "Say whether a file can be a function."),
    "disable": ("functions:disable", "Let a function rest where it is in the log."),
    "enable": ("functions:enable", "Let a function go on."),
    "list": ("functions:list_functions", "Say which functions there are, and how they do."),
    "retry": ("functions:retry", "Try a run again that failed for good."),
    "runs": ("functions:runs", "Show what functions were run on, and what came of it."),
    "show": ("functions:show", "Show a run with all its attempts and what they printed."),
    "try": ("function_trial:try_function", "Run a function once on an event, on no record."),
}
FILL_COMMANDS = {
    "explain": ("fill:explain", "Say why each region has the tracks of a title, or has not."),
    "plan": ("fill:show_plan", "Show what each appliance is to have, or plan now."),
}
BILLING_COMMANDS = {
    "clock": ("billing:clock", "Say what time it is in the sandbox, or set it ahead."),
    "coupon": ("billing:put_coupon", "Make or change a coupon."),
    "fault": ("billing:fault", "Let the sandbox fail."),
    "invoices": ("billing:list_invoices", "List the invoices of an account."),
    "ledger": ("billing:show_ledger", "Show the balances, and what belongs to no payment."),
    "plan": ("billing:put_plan", "Make or change a plan."),
    "plans": ("billing:list_plans", "List the plans."),
    "refund": ("billing:refund", "Give back what was paid for an invoice."),
    "tax": ("billing:put_tax", "Say what tax a territory has."),
}
ACCOUNT_COMMANDS = {
    "backup": ("backup:backup", "Back up everything, while it runs."),
    "create": ("accounts:create", "Create a member's account."),
    "log-out": ("accounts:log_out", "End every login of a member."),
    "reset-factors": ("accounts:reset_factors", "Take the second step off an account."),
    "login-link": ("accounts:login_link", "Make a link that logs a member in once."),
}
HOST_COMMANDS = {
    "appliance": ("appliance:write_appliance", "Write what an appliance elsewhere needs."),
    "ticket": ("host:ticket", "Write what another machine needs to work for this install."),
    "work": ("host:work", "Work for an install on another machine."),
}
LAB_COMMANDS = {
    "cdn": ("cdn:cdn", "Watch over a network of namespaces, with routers and faults."),
    "demand": ("demand:demand", "Try the planner of fill on weeks of demand from a seed."),
}

PLAY_COMMANDS = {
    "list": ("plays:list_plays", "List the plays that run, the newest first."),
    "stop": ("plays:stop", "End a play, whosever it is, within a second."),
}
STAFF_COMMANDS = {
    "add": ("staff:add", "Add somebody, in a role."),
    "link": ("staff:link", "Print a link that opens the pages of operations as somebody."),
    "list": ("staff:list_staff", "List who is of staff, and what the roles allow."),
    "remove": ("staff:remove", "Remove somebody, with every token and browser."),
    "role": ("staff:role", "Give somebody another role."),
    "token": ("staff:token", "Print a bearer token for the API, or end them all."),
}
AUDIT_COMMANDS = {
    "export": ("staff:export", "Write the whole log of acts into a file."),
    "list": ("staff:list_acts", "List what staff did, the latest first."),
    "verify": ("staff:verify", "Say whether the log of acts is what was written."),
}
PEOPLE_COMMANDS = {
    "add": ("people:add_person", "Add somebody who made or played in something."),
    "edit": ("people:edit_person", "Give somebody other names or ids."),
    "list": ("people:list_people", "List the people, or those of a name."),
    "remove": ("people:remove_person", "Remove somebody whom no work names."),
}
TERM_COMMANDS = {
    "list": ("people:list_terms", "List the genres and themes."),
    "put": ("people:put_term", "Add a genre or a theme, or name it otherwise."),
    "remove": ("people:remove_term", "Remove a genre or theme that no work names."),
}
TITLE_COMMANDS = {
    "export": ("metadata:export_metadata", "Write what is told of all works into a file."),
    "import": ("metadata:import_metadata", "Take works and their metadata from a file."),
    "list": ("titles:titles", "List the titles."),
}
VIEWING_COMMANDS = {
    "apply": ("viewing:apply_changes", "Take what members did in another region."),
    "export": ("viewing:export_changes", "Write what members did here, for other regions."),
}
WATERMARK_COMMANDS = {
    "find": ("watermark:find", "Say of whose session a copy of a film is."),
}
KEY_COMMANDS = {
    "retire": ("keys:retire", "Destroy a master key that nothing is stored under."),
    "rotate": ("keys:rotate", "Make a new master key, and wrap all keys by it."),
    "show": ("keys:show", "List the master keys, and what is stored under each."),
}
EXPERIMENT_COMMANDS = {
    "list": ("experiments:list_experiments", "List what is tried on members, and what was."),
    "put": ("experiments:put", "Start an experiment on some members."),
    "stop": ("experiments:stop", "Stop an experiment."),
}
FRAUD_COMMANDS = {
    "explain": ("fraud:explain", "Say what speaks against an account, and why."),
    "forgive": ("fraud:forgive", "Take back all that was found of an account."),
    "list": ("fraud:list_findings", "List what was found and holds."),
}
RIGHTS_COMMANDS = {
    "ask": ("rights:ask", "Say whether a title may be played somewhere, and why."),
    "export": ("avails:export", "Write the rights of all titles as EMA Avails."),
    "import": ("avails:import_avails", "Set the rights of titles from EMA Avails."),
    "set": ("rights:set_rights", "Set the windows of a title; those before are kept."),
    "show": ("rights:show", "Show the windows of a title."),
    "undo": ("rights:undo", "Go back to the windows of before."),
}
WORK_COMMANDS = {
    "create": ("works:create", "Create a franchise, a series or a season."),
    "edit": ("works:edit", "Change what is told of a work."),
    "list": ("works:list_works", "List the works, or what lies in one."),
    "place": ("works:place", "Put a work into another, or give it another number."),
    "remove": ("works:remove", "Remove a work that holds nothing any more."),
    "show": ("works:show", "Show a work as a reader of a language sees it."),
    "undo": ("works:undo", "Put a work back as it was before its last change."),
}
SEARCH_COMMANDS = {
    "find": ("search:find", "Find works, people, genres and themes."),
    "index": ("search:show_index", "Say what is searched, and what waits to be."),
    "reindex": ("search:reindex", "Build a new index beside the one that is searched."),
}
ROLLOUT_COMMANDS = {
    "pause": ("rollouts:pause", "Tell no further appliance."),
    "resume": ("rollouts:resume", "Go on, and try those that failed once more."),
    "show": ("rollouts:show", "Say how far the last rollout is, and what it waits for."),
    "start": ("rollouts:start", "Bring appliances to a release, wave by wave."),
    "undo": ("rollouts:undo", "Bring appliances back to what they ran before."),
}
ROUTE_COMMANDS = {
    "explain": ("routes:explain", "Say where a client is sent now, and why."),
    "list": ("routes:list_routes", "List the routers of each appliance, and their routes."),
}
JOB_COMMANDS = {
    "cancel": ("jobs:cancel", "End a job; what it was encoding is ended within seconds."),
    "list": ("jobs:list_jobs", "List the jobs, the newest first."),
    "priority": ("jobs:priority", "Say whose turn a job is."),
    "retry": ("jobs:retry", "Begin a failed or canceled job again, from what is done."),
    "show": ("jobs:show", "Show a job: how far it is, or why it failed, with the log."),
    "watch": ("jobs:watch", "Follow the events of a job until it is over."),
}


class Commands(click.Group):
    """Loads commands by name, gives each ``--data`` and ``--verbose``, tells errors in sentences.

    ``table`` maps a command's name to its ``module:function`` in this package and a summary.
    ``default`` is the one that runs where none is named.
    """

    def __init__(
        self, name: str, table: dict[str, tuple[str, str]], summary: str, default: str = ""
    ) -> None:
        super().__init__(name=name, help=summary)
        self._table = table
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self._default and (not args or (args[0].startswith("-") and args[0] != "--help")):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self._table, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands and cmd_name in self._table:
            module, _, function = self._table[cmd_name][0].partition(":")
            command: click.Command = getattr(
                importlib.import_module(f"cuemark.app.cli.{module}"), function
            )
            command.params += [_data_option(), _verbose_option()]
            self.add_command(command, cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups = {name: command.get_short_help_str() for name, command in self.commands.items()}
        summaries = groups | {name: summary for name, (_, summary) in self._table.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(summaries.items()))

    def invoke(self, ctx: click.Context) -> object:
        with sentences(bool(ctx.meta.get("verbose"))):
            return super().invoke(ctx)


def _data_option() -> click.Option:
    return click.Option(
        ["--data", "folder"],
        type=click.Path(path_type=Path, file_okay=False),
        envvar="CUEMARK_DATA",
        default=DEFAULT_FOLDER,
        show_default=True,
        help="The data folder of the install.",
        callback=lambda context, option, value: DataFolder(value),
    )


def _verbose_option() -> click.Option:
    return click.Option(
        ["--verbose"],
        is_flag=True,
        expose_value=False,
        help="Show the trace of an error.",
        callback=lambda context, option, value: context.meta.update(verbose=value),
        is_eager=True,
    )


commands = Commands(
    "cuemark",
    COMMANDS,
    "Cuemark: the streaming service you can own, run, break and measure.",
)


def _print_release(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        from cuemark.kit.release import release_here

        click.echo(f"cuemark {release_here()}")
        context.exit()


commands.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_print_release,
        help="Say which release this is.",
    )
)
commands.add_command(
    Commands("appliances", APPLIANCE_COMMANDS, "What delivers the films."), "appliances"
)
commands.add_command(
    Commands("functions", FUNCTION_COMMANDS, "Functions: what is run on events."), "functions"
)
commands.add_command(
    Commands("fill", FILL_COMMANDS, "What is brought to appliances before it is asked for."), "fill"
)
commands.add_command(Commands("billing", BILLING_COMMANDS, "What is sold, and paid."), "billing")
commands.add_command(
    Commands("experiment", EXPERIMENT_COMMANDS, "Settings that are tried on some members."),
    "experiment",
)
commands.add_command(
    Commands("fraud", FRAUD_COMMANDS, "What speaks against logins, cards and households."), "fraud"
)
commands.add_command(Commands("account", ACCOUNT_COMMANDS, "Members' accounts."), "account")
commands.add_command(Commands("host", HOST_COMMANDS, "Workers on other machines."), "host")

commands.add_command(
    Commands("watermark", WATERMARK_COMMANDS, "The marks of films, and who is found by them."),
    "watermark",
)
commands.add_command(Commands("lab", LAB_COMMANDS, "Trials that can be repeated."), "lab")
commands.add_command(Commands("plays", PLAY_COMMANDS, "What is being watched."), "plays")
commands.add_command(
    Commands("keys", KEY_COMMANDS, "The master keys that films' keys are stored under."), "keys"
)
commands.add_command(
    Commands("rights", RIGHTS_COMMANDS, "Where and when titles may be played."), "rights"
)
commands.add_command(
    Commands("rollout", ROLLOUT_COMMANDS, "Another release for the appliances."), "rollout"
)
commands.add_command(
    Commands("routes", ROUTE_COMMANDS, "The network: which appliances are near whom."), "routes"
)
commands.add_command(
    Commands("search", SEARCH_COMMANDS, "What is found, and the index of it."), "search"
)
commands.add_command(Commands("staff", STAFF_COMMANDS, "Who runs the service."), "staff")
commands.add_command(Commands("audit", AUDIT_COMMANDS, "What staff did."), "audit")
commands.add_command(Commands("people", PEOPLE_COMMANDS, "Who made films."), "people")
commands.add_command(Commands("terms", TERM_COMMANDS, "The lists of genres and themes."), "terms")
commands.add_command(
    Commands("titles", TITLE_COMMANDS, "What there is to watch.", default="list"), "titles"
)
commands.add_command(
    Commands("viewing", VIEWING_COMMANDS, "What members watched, keep and think, between regions."),
    "viewing",
)
commands.add_command(
    Commands("works", WORK_COMMANDS, "Series, seasons and all that lies in them."), "works"
)
commands.add_command(Commands("jobs", JOB_COMMANDS, "The making of titles."), "jobs")


def main() -> None:
    """The entry of the command ``cuemark``."""
    run_and_leave(commands)
