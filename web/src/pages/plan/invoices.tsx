// What was charged, to be read and printed.

import { api, type Invoice } from "../../api.ts";
import { language, say } from "../../language.ts";
import { amountText } from "../../money.ts";
import { Part } from "../../parts/part.tsx";
import type { StringKey } from "../../strings.ts";
import { dayText } from "./running.tsx";

const STATUSES: Readonly<Record<Invoice["status"], StringKey>> = {
  open: "invoice.open",
  paid: "invoice.paid",
  void: "invoice.void",
};

export function Invoices({ invoices }: { readonly invoices: readonly Invoice[] }) {
  return (
    <Part title="invoices.title">
      <ul class="logins">
        {invoices.map((invoice) => (
          <li key={invoice.invoice_id}>
            <span>
              <strong>{amountText(invoice.total_minor, invoice.currency, language)}</strong>
              <span class="soft">
                {say("invoice.of", { number: invoice.number, day: dayText(invoice.issued_at) })}
                {" · "}
                {say(STATUSES[invoice.status])}
                {invoice.refunded_minor + invoice.charged_back_minor > 0 &&
                  ` · ${say("invoice.back")}`}
              </span>
            </span>
            <span class="choices">
              {(["page", "pdf"] as const).map((form) => (
                <a
                  key={form}
                  class="button"
                  href={api.invoicePath(invoice.invoice_id, form)}
                  target="_blank"
                  rel="noopener"
                  aria-label={say(form === "pdf" ? "invoice.pdf_of" : "invoice.page_of", {
                    number: invoice.number,
                  })}
                >
                  {say(form === "pdf" ? "invoice.pdf" : "invoice.page")}
                </a>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}
