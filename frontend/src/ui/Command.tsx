// Text to take away: a command to type, a script to read, each with a copy button where it helps.
import { ActionIcon } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import classes from "./Command.module.css";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      c="inherit"
      size="md"
      onClick={() => clipboard.copy(text)}
      aria-label={clipboard.copied ? "Copied" : label}
      title={clipboard.copied ? "Copied" : label}
    >
      {clipboard.copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
    </ActionIcon>
  );
}

/** One command line. */
export function Command({ children }: { children: string }) {
  return (
    <div className={classes.command}>
      <code>{children}</code>
      <CopyButton text={children} label="Copy the command" />
    </div>
  );
}

/** A longer text, kept as it is written; it scrolls inside its own box, which the keyboard reaches. */
export function Source({ text, label }: { text: string; label: string }) {
  return (
    <div className={classes.source}>
      <div className={classes.corner}>
        <CopyButton text={text} label={`Copy: ${label}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label={label}>
        <pre>{text}</pre>
      </section>
    </div>
  );
}
