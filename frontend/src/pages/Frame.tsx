// The root route: the frame around each page, and the page for addresses that lead nowhere.
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { system } from "../api/queries";
import { Empty } from "../ui/Loaded";
import { ButtonLink } from "../ui/link";
import { Page, Panel } from "../ui/Page";
import { Shell } from "../ui/Shell";
import { Trouble } from "./Trouble";

export function Frame() {
  const about = useQuery(system);
  const foot = about.data ? (
    <>
      Mastic {about.data.version}
      <br />
      {about.data.database_kind === "sqlite" ? "SQLite" : "PostgreSQL"} · {about.data.region}
    </>
  ) : null;
  return (
    <Shell foot={foot}>
      <Trouble />
      <Outlet />
    </Shell>
  );
}

export function NotFoundPage() {
  return (
    <Page title="No such page">
      <Panel>
        <Empty title="This address leads nowhere.">
          <div>
            <ButtonLink to="/">Go home</ButtonLink>
          </div>
        </Empty>
      </Panel>
    </Page>
  );
}
