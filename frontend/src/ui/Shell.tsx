// The frame of every page: name, navigation, colour scheme switch, and where the page's content goes.
import { ActionIcon, AppShell, Burger, Group, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconBolt,
  IconDatabase,
  IconDeviceDesktop,
  IconHome,
  IconMoon,
  IconPlayerPlay,
  IconPlugConnected,
  IconRadar2,
  IconScript,
  IconSun,
} from "@tabler/icons-react";
import { createLink, Link as RouterLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, ReactNode, Ref } from "react";
import classes from "./Shell.module.css";

type EntryProps = AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

function PlainEntry({ className, ...rest }: EntryProps) {
  return <a {...rest} className={className ? `${classes.entry} ${className}` : classes.entry} />;
}

const Entry = createLink(PlainEntry);

const entries = [
  { to: "/", label: "Home", Icon: IconHome },
  { to: "/databases", label: "Databases", Icon: IconDatabase },
  { to: "/crawls", label: "Crawls", Icon: IconRadar2 },
  { to: "/connections", label: "Connections", Icon: IconPlugConnected },
  { to: "/jobs", label: "Jobs", Icon: IconScript },
  { to: "/runs", label: "Runs", Icon: IconPlayerPlay },
  { to: "/events", label: "Events", Icon: IconBolt },
] as const;

const schemes = [
  { value: "auto", label: "as the system", Icon: IconDeviceDesktop },
  { value: "light", label: "light", Icon: IconSun },
  { value: "dark", label: "dark", Icon: IconMoon },
] as const;

/** One button, three states: as the system, light, dark. It is named by what it is and what comes next. */
function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const place = schemes.findIndex((each) => each.value === colorScheme);
  const current = schemes[place] ?? schemes[0];
  const next = schemes[(place + 1) % schemes.length] ?? schemes[0];
  const label = `Colour scheme: ${current.label}. Change to: ${next.label}`;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      c="inherit"
      size="lg"
      aria-label={label}
      title={label}
      onClick={() => setColorScheme(next.value)}
    >
      <current.Icon size={20} aria-hidden />
    </ActionIcon>
  );
}

export function Shell({ children, foot }: { children: ReactNode; foot?: ReactNode }) {
  const [open, { toggle, close }] = useDisclosure(false);
  return (
    <AppShell
      header={{ height: 54 }}
      navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: !open } }}
      padding={{ base: "sm", sm: "lg" }}
      transitionDuration={0}
    >
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={open}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={open ? "Close the navigation" : "Open the navigation"}
              aria-expanded={open}
            />
            <RouterLink to="/" className={classes.brand} aria-label="Mastic, home">
              <img src="/favicon.svg" alt="" width={26} height={26} />
              Mastic
            </RouterLink>
          </Group>
          <SchemeSwitch />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.nav} aria-label="Main">
        {entries.map(({ to, label, Icon }) => (
          <Entry key={to} to={to} onClick={close} activeOptions={{ exact: to === "/" }}>
            <Icon size={19} stroke={1.8} aria-hidden />
            {label}
          </Entry>
        ))}
        <div className={classes.foot}>{foot}</div>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <div className={classes.page}>{children}</div>
      </AppShell.Main>
    </AppShell>
  );
}
