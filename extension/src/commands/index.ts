/** Every command. */

import type { Command } from "../host.ts";
import { makeDeployable } from "./agent/deployable.ts";
import { rewriteLayer } from "./agent/rewrite.ts";
import { setKey } from "./agent/setKey.ts";
import { showTrace } from "./agent/showTrace.ts";
import { bugReport } from "./bugReport.ts";
import { check } from "./check.ts";
import { configureInputs } from "./configureInputs.ts";
import { deploy } from "./deploy.ts";
import { doctor } from "./doctor.ts";
import { menu } from "./menu.ts";
import { openExample } from "./openExample.ts";
import { compareRuns, openReport, redoRun, revealPackage } from "./runs.ts";
import { selectInterpreter } from "./selectInterpreter.ts";
import { selectSoc, useSoc } from "./selectSoc.ts";
import { showGraph } from "./showGraph.ts";
import { verifyPackage } from "./verify.ts";
import { writeFactory } from "./writeFactory.ts";
import { cancelChecks, openRule, refreshPackages, refreshRuns, restartServer, showLog } from "./small.ts";

export const COMMANDS: readonly Command[] = [
  bugReport,
  cancelChecks,
  check,
  compareRuns,
  configureInputs,
  deploy,
  doctor,
  makeDeployable,
  menu,
  openExample,
  openReport,
  openRule,
  redoRun,
  refreshPackages,
  refreshRuns,
  restartServer,
  revealPackage,
  rewriteLayer,
  selectInterpreter,
  selectSoc,
  setKey,
  showGraph,
  showLog,
  showTrace,
  useSoc,
  verifyPackage,
  writeFactory,
];
