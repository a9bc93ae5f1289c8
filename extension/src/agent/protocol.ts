/** What the agent's commands of the language server take and answer. */

import type { SourceRange } from "../protocol.ts";

export interface AgentGoal {
  kind: "finding" | "deploy" | "export" | "inputs";
  rule?: string;
  line?: number; // 1-based
  nodes?: string[];
}

export interface AgentBudget {
  tokens?: number;
  seconds?: number;
  cost?: number;
  rounds?: number;
  input_price?: number;
  output_price?: number;
}

export type AgentEndpoint =
  | { kind: "editor"; title: string; nativeTools: boolean }
  | { kind: "openai"; baseUrl: string; model: string; key: string };

export interface AgentStart {
  id: string;
  model: string;
  uri: string;
  goal: AgentGoal;
  budget: AgentBudget;
  endpoint: AgentEndpoint;
  workDoneToken: string;
}

export interface Verdict {
  approximate: boolean;
  sqnr_db: number | string | null;
  max_abs: number | string | null;
  simulator_sqnr_db: number | string | null;
}

export interface AgentReport {
  model: string;
  soc: string;
  ok: boolean;
  stopped: string;
  words: string;
  edits: [SourceRange, string][];
  proof: Verdict | null;
  accepted: { number: number; title: string }[];
  verdicts: unknown[];
  usage: { requests: number; prompt: number; completion: number; estimated: number; cost: number | null };
  trace: string;
  learned: string[];
  attacks: string[];
}

export interface AgentAnswer {
  report: AgentReport;
  /** A WorkspaceEdit of the protocol, each change annotated so that it needs confirmation. */
  edit: unknown;
}

/** ``aipc/agent``: what happens while it runs. */
export interface AgentEvent {
  id: string;
  kind: string;
  message: string;
  round: number;
  tokens: number;
  cost: number | null;
  seconds: number;
  trace: string;
}

export interface LlmCall {
  id: string;
  name: string;
  arguments: string; // JSON text
}

export interface LlmMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  calls?: LlmCall[];
  call_id?: string;
}

export interface LlmRequest {
  id: string;
  messages: LlmMessage[];
  tools: { name: string; description: string; parameters: object }[];
  maxTokens: number;
}

export type LlmAnswer =
  | {
      text: string;
      calls: LlmCall[];
      finish: "stop" | "length" | "refusal";
      prompt: number | null;
      completion: number | null;
      model: string;
    }
  | { error: { kind: "no-model" | "denied" | "quota" | "failed"; message: string } };

export interface AgentQuestion {
  id: string;
  text: string;
  choices: string[];
  evidence: Record<string, unknown>;
}
