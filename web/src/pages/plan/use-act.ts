// One act at a time, and what was said against it.

import { useCallback, useState } from "preact/hooks";
import { complaintOf } from "../../complaint.ts";

export function useAct(onDone: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [complaint, setComplaint] = useState("");
  const act = useCallback(
    async (work: () => Promise<unknown>) => {
      setBusy(true);
      setComplaint("");
      try {
        await work();
        await onDone();
      } catch (error) {
        setComplaint(complaintOf(error));
      } finally {
        setBusy(false);
      }
    },
    [onDone],
  );
  return { busy, complaint, act };
}
