/** A command of the server that failed, and what is said of it. */

import type { ServerError } from "./protocol.ts";
import { upperFirst } from "./text.ts";

export function isError(answer: unknown): answer is ServerError {
  return typeof answer === "object" && answer !== null && "error" in answer;
}

/** One sentence: what happened, and what to do. */
export function sentence({ error }: ServerError): string {
  const what = upperFirst(error.message.replace(/\.$/, ""));
  return error.remedy ? `${what}. ${upperFirst(error.remedy)}.` : `${what}.`;
}
