// Small labels for states and kinds: always an icon or a word beside the colour.
import {
  IconArrowRight,
  IconBan,
  IconCheck,
  IconClock,
  IconCopy,
  IconEqual,
  IconHourglass,
  IconLoader2,
  IconMinus,
  IconPencil,
  IconPlus,
  IconQuestionMark,
  IconX,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import classes from "./Badge.module.css";

type Tone = "good" | "bad" | "warn" | "busy" | "quiet";
type Icon = ComponentType<{ size?: number; stroke?: number; className?: string; "aria-hidden"?: boolean }>;

const known: Record<string, [Tone, Icon, string]> = {
  QUEUED: ["quiet", IconClock, "Queued"],
  RUNNING: ["busy", IconLoader2, "Running"],
  SUCCEEDED: ["good", IconCheck, "Succeeded"],
  FAILED: ["bad", IconX, "Failed"],
  CANCELLED: ["quiet", IconBan, "Cancelled"],
  READY: ["good", IconCheck, "Ready"],
  STOPPING: ["busy", IconLoader2, "Stopping"],
  add: ["good", IconPlus, "add"],
  change: ["warn", IconPencil, "change"],
  retire: ["bad", IconMinus, "retire"],
  unchanged: ["quiet", IconEqual, "unchanged"],
  batched: ["busy", IconHourglass, "batched"],
  waiting: ["busy", IconClock, "waiting"],
  started: ["good", IconArrowRight, "started"],
  duplicate: ["quiet", IconCopy, "duplicate"],
  superseded: ["quiet", IconMinus, "superseded"],
  unmatched: ["quiet", IconEqual, "no trigger matched"],
  created: ["good", IconPlus, "created"],
  removed: ["bad", IconMinus, "removed"],
};

/** A state as the server spells it; one this page does not know is shown as it came. */
export function StateBadge({ state }: { state: string }) {
  const [tone, Icon, label] = known[state] ?? (["quiet", IconQuestionMark, state] as const);
  return (
    <span className={classes.badge} data-tone={tone} data-state={state}>
      <Icon size={14} stroke={2.2} className={Icon === IconLoader2 ? classes.spin : undefined} aria-hidden />
      {label}
    </span>
  );
}

export function Tag({ children }: { children: string }) {
  return (
    <span className={classes.badge} data-tone="quiet">
      {children}
    </span>
  );
}
