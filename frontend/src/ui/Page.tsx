// What a page is made of: a head with its way back, panels, facts, and a foot that says where else to get it.
import { Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { CopyButton } from "./Command";
import classes from "./Page.module.css";

interface PageProps {
  title: string;
  /** The way back: links from the outermost inwards, without the page itself. */
  trail?: ReactNode[];
  lead?: ReactNode;
  badge?: ReactNode;
  actions?: ReactNode;
  /** The same thing without a browser. */
  path?: string;
  command?: string;
  children: ReactNode;
}

export function Page({ title, trail, lead, badge, actions, path, command, children }: PageProps) {
  useEffect(() => {
    document.title = title === "Mastic" ? title : `${title} · Mastic`;
  }, [title]);
  return (
    <>
      {trail ? (
        <nav aria-label="Breadcrumbs">
          <ol className={classes.trail}>
            {trail.map((item, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a trail's places are what they are
              <li key={index}>{item}</li>
            ))}
            <li aria-current="page">{title}</li>
          </ol>
        </nav>
      ) : null}
      <header className={classes.head}>
        <div className={classes.name}>
          <Title order={1} size="h2" className={classes.title}>
            {title}
          </Title>
          {badge}
        </div>
        {actions ? <div className={classes.actions}>{actions}</div> : null}
      </header>
      {lead ? (
        <Text c="dimmed" component="div" mb="md" maw={820}>
          {lead}
        </Text>
      ) : null}
      <div className={classes.body}>{children}</div>
      {path || command ? (
        <footer className={classes.elsewhere}>
          {path ? <Elsewhere label="REST" text={`GET ${path}`} /> : null}
          {command ? <Elsewhere label="Shell" text={command} /> : null}
        </footer>
      ) : null}
    </>
  );
}

function Elsewhere({ label, text }: { label: string; text: string }) {
  return (
    <div className={classes.place}>
      <span>{label}</span>
      <code>{text}</code>
      <CopyButton text={text} label={`Copy: ${label}`} />
    </div>
  );
}

interface PanelProps {
  title?: string;
  actions?: ReactNode;
  children: ReactNode;
  /** Tables touch the panel's edges. */
  flush?: boolean;
}

export function Panel({ title, actions, children, flush }: PanelProps) {
  return (
    <section className={classes.panel} aria-label={title}>
      {title || actions ? (
        <div className={classes.bar}>
          {title ? (
            <Title order={2} size="h5">
              {title}
            </Title>
          ) : null}
          {actions ? <div className={classes.actions}>{actions}</div> : null}
        </div>
      ) : null}
      <div className={flush ? classes.flush : classes.inside}>{children}</div>
    </section>
  );
}

/** Names and values, two columns where there is room. */
export function Facts({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <Nothing />}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Nothing({ text = "none" }: { text?: string }) {
  return <span className={classes.nothing}>{text}</span>;
}

export function Mono({ children }: { children: ReactNode }) {
  return <span className="mono">{children}</span>;
}

/** One number of the Home page, with what it counts. */
export function Figure({ value, label, children }: { value: string; label: string; children?: ReactNode }) {
  return (
    <div className={classes.figure}>
      <div className={classes.value}>{value}</div>
      <div className={classes.label}>{label}</div>
      {children ? <div className={classes.under}>{children}</div> : null}
    </div>
  );
}
