// A run's log: one line a row, following the end until the reader scrolls away from it.
import { Checkbox, Group } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { LogLine } from "../api/types";
import { clock, exact } from "../format/time";
import classes from "./Log.module.css";

interface LogProps {
  label: string;
  lines: LogLine[];
  live: boolean;
}

export function Log({ label, lines, live }: LogProps) {
  const box = useRef<HTMLElement>(null);
  const [follow, setFollow] = useState(true);
  const newest = lines.at(-1)?.seq;

  useEffect(() => {
    // `newest` is read so that each new line moves the view, not only the first.
    if (follow && newest !== undefined && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, newest]);

  function scrolled() {
    const at = box.current;
    if (!at) return;
    setFollow(at.scrollHeight - at.scrollTop - at.clientHeight < 24);
  }

  return (
    <>
      <section
        ref={box}
        className={classes.box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
        tabIndex={0}
        aria-label={label}
        onScroll={scrolled}
      >
        <ol className={classes.lines} data-long={lines.length > 500 || undefined}>
          {lines.map((line) => (
            <li key={line.seq} id={`line-${line.seq}`} data-level={line.level} className={classes.line}>
              <time dateTime={line.at} title={exact(line.at)}>
                {clock(line.at)}
              </time>
              <span className={classes.level}>{line.level}</span>
              <span className={classes.message}>{line.message}</span>
            </li>
          ))}
        </ol>
      </section>
      <Group justify="space-between" className={classes.foot}>
        <Checkbox
          size="sm"
          label="Follow the end"
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
        />
        <span aria-live="polite">{live ? "The run is writing…" : "End of the log"}</span>
      </Group>
    </>
  );
}
