/** Where a deployment can go, in the order in which it is offered. */

import type * as vscode from "vscode";
import type { Choice, Effective, Soc, Targets } from "./protocol.ts";
import { sourceText } from "./text.ts";

export interface Place extends vscode.QuickPickItem {
  soc?: string;
  target: string;
  fp16: Soc["fp16"];
}

/** What is in effect comes first, so that accepting deploys for it. */
export function placesOf({ targets, socs }: Targets, current: Effective | undefined): Place[] {
  const devices = targets.filter((target) => target.kind !== "simulator" && target.available);
  const simulator = targets.find((target) => target.kind === "simulator");
  const first = (soc: Soc): number => (soc.part === current?.soc.value ? 0 : 1);
  const said = (choice: Choice | undefined, value: string): string =>
    choice?.value === value ? ` · ${sourceText(choice.source)}` : "";
  const onDevices = devices.map((target) => ({
    label: `$(device-mobile) ${target.title}`,
    description: `${target.name}${said(current?.target, target.name)}`,
    target: target.name,
    fp16: "yes" as const,
  }));
  const simulated = [
    ...(simulator?.available
      ? [...socs]
          .sort((a, b) => first(a) - first(b))
          .map((soc) => ({
            label: `$(chip) ${soc.title}`,
            description: `simulator · v${soc.arch}${soc.fp16 === "no" ? " · no fp16" : ""}${said(current?.soc, soc.part)}`,
            soc: soc.part,
            target: "simulator",
            fp16: soc.fp16,
          }))
      : [
          {
            label: "$(warning) The simulator is not available",
            detail: simulator?.reason ?? "",
            target: "simulator",
            fp16: "yes" as const,
          },
        ]),
  ];
  const configured = onDevices.filter((place) => place.target === current?.target.value);
  const others = onDevices.filter((place) => !configured.includes(place));
  const named = current !== undefined && !current.soc.source.startsWith("the default");
  // A device that is connected is what a user most likely wants, unless a chip is named.
  return configured.length > 0
    ? [...configured, ...others, ...simulated]
    : named
      ? [...simulated.slice(0, 1), ...others, ...simulated.slice(1)]
      : [...others, ...simulated];
}
