/** What is said of each state of the server. */

export type ServerState = "starting" | "ready" | "stopped" | "no-python";

interface Facts {
  trusted: boolean;
  checking: readonly string[];
  missing: readonly string[];
  problem: string;
}

/** What is said of a state: an icon, a word for the status bar, and a sentence. */
export function describe(
  state: ServerState,
  { trusted, checking, missing, problem }: Facts,
): { icon: string; short: string; text: string; bad: boolean } {
  if (state === "no-python") return { icon: "warning", short: "no Python", text: problem, bad: true };
  if (state === "starting")
    return { icon: "loading~spin", short: "starting", text: "The language server is starting.", bad: false };
  if (state === "stopped") {
    return { icon: "warning", short: "stopped", text: problem || "The language server is not running.", bad: true };
  }
  if (!trusted) {
    const text =
      "Restricted Mode: checking and deploying run the model's code and are off until the workspace is trusted.";
    return { icon: "workspace-untrusted", short: "restricted", text, bad: false };
  }
  if (missing.length > 0) {
    const text = `This interpreter lacks ${missing.join(", ")}: Doctor installs what is missing when you agree.`;
    return { icon: "warning", short: missing.includes("QAIRT") ? "no QAIRT here" : "incomplete", text, bad: true };
  }
  if (checking.length > 0) {
    const names = checking.map((name) => name.split(":").pop()).join(", ");
    return { icon: "sync~spin", short: "checking", text: `Checking ${names}.`, bad: false };
  }
  return { icon: "chip", short: "", text: "Ready: models are checked by Qualcomm's compiler.", bad: false };
}
