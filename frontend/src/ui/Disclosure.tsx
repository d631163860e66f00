// Something that opens: the browser's own element, so it works with keyboard and page search.
import { IconChevronRight } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./Disclosure.module.css";

export function Disclosure({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <details className={classes.details}>
      <summary className={classes.summary}>
        <IconChevronRight size={16} className={classes.mark} aria-hidden />
        <span>{title}</span>
      </summary>
      <div className={classes.inside}>{children}</div>
    </details>
  );
}
