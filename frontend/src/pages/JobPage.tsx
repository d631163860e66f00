// One job: what it reads and writes, its script, what starts it, its runs, and a form to run it now.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { startRun } from "../api/actions";
import { job, runs, triggers } from "../api/queries";
import type { Job } from "../api/types";
import { counted } from "../format/number";
import { duration } from "../format/time";
import { Tag } from "../ui/Badge";
import { Source } from "../ui/Command";
import { DataTable } from "../ui/DataTable";
import { Button, Group, Stack, TextInput } from "../ui/kit";
import { Empty, Failure, Loaded, LoadedList } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Facts, Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";
import { RunTable } from "./lists";
import { TableLink } from "./TableLink";

const route = getRouteApi("/jobs/$name");

export function JobPage() {
  const { name } = route.useParams();
  const query = useQuery(job(name));
  const parameters = Object.keys(query.data?.parameters ?? {});
  return (
    <Page
      title={name}
      trail={[
        <Link key="jobs" to="/jobs">
          Jobs
        </Link>,
      ]}
      badge={query.data ? <Tag>{query.data.engine}</Tag> : null}
      lead={query.data?.description}
      path={`/api/v1/jobs/${encodeURIComponent(name)}`}
      command={`mastic jobs run ${[name, ...parameters.map((each) => `--param ${each}=…`)].join(" ")} --wait`}
    >
      <Loaded query={query} lines={8}>
        {(data) => (
          <>
            <RunForm key={data.name} job={data} />
            <JobRuns name={data.name} />
            <Definition job={data} />
            <JobTriggers name={data.name} />
            <Panel title={data.script_name || "Script"}>
              {data.script ? (
                <Source text={data.script} label={data.script_name || "Script"} />
              ) : (
                <Empty title="The script is an object, which is read when a run starts." />
              )}
            </Panel>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function RunForm({ job: of }: { job: Job }) {
  const fields = Object.entries(of.parameters);
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(fields.map(([name, field]) => [name, field.default ?? ""])),
  );
  const navigate = useNavigate();
  const client = useQueryClient();
  const start = useMutation({
    // A field left empty where there is a default means the default.
    mutationFn: () =>
      startRun(of.name, Object.fromEntries(Object.entries(values).filter(([, v]) => v !== ""))),
    onSuccess: (made) => {
      client.invalidateQueries({ queryKey: ["runs"] });
      navigate({ to: "/runs/$id", params: { id: made.id } });
    },
  });
  return (
    <Panel title="Run now">
      <form
        aria-label={`Run ${of.name}`}
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <Stack gap="sm">
          <Group align="flex-end" gap="md">
            {fields.map(([name, field]) => (
              <TextInput
                key={name}
                label={name}
                description={field.pattern ? `as ${field.pattern}` : undefined}
                required={field.default == null}
                withAsterisk={false}
                pattern={browserPattern(field.pattern)}
                title={field.pattern ? `Must match ${field.pattern}` : undefined}
                w={{ base: "100%", xs: 220 }}
                value={values[name] ?? ""}
                onChange={(event) => {
                  const { value } = event.currentTarget;
                  setValues((before) => ({ ...before, [name]: value }));
                }}
              />
            ))}
            <Button type="submit" loading={start.isPending}>
              Run
            </Button>
          </Group>
          {start.isError ? <Failure error={start.error} /> : null}
        </Stack>
      </form>
    </Panel>
  );
}

/** The server's patterns are of another dialect: one the browser can't read is left to the server. */
function browserPattern(pattern: string | null | undefined): string | undefined {
  if (!pattern) return undefined;
  try {
    new RegExp(`^(?:${pattern})$`, "v");
    return pattern;
  } catch {
    return undefined;
  }
}

function Definition({ job: of }: { job: Job }) {
  const inputs = Object.entries(of.inputs);
  return (
    <>
      <Panel flush title="Inputs">
        {inputs.length === 0 ? (
          <Empty title="This job declares no inputs." />
        ) : (
          <DataTable
            label="Inputs"
            rows={inputs}
            rowKey={([name]) => name}
            columns={[
              { header: "Name", cell: ([name]) => <Mono>{name}</Mono> },
              { header: "Location", wide: true, cell: ([, input]) => <Mono>{input.location}</Mono> },
              {
                header: "Columns",
                cell: ([, input]) => {
                  const columns = Object.keys(input.columns).length;
                  return columns > 0 ? counted(columns, "declared", "declared") : <Nothing text="as found" />;
                },
              },
              { header: "Needed", cell: ([, input]) => (input.optional ? "if there" : "yes") },
            ]}
          />
        )}
      </Panel>
      <Panel title="Output">
        <Facts
          items={[
            ["Location", of.output ? <Mono key="location">{of.output.location}</Mono> : null],
            ["Format", of.output?.format],
            ["Files", of.output ? String(of.output.files) : null],
            ["Mode", of.output?.mode],
            ["Table", of.output?.table ? <TableLink key="table" name={of.output.table} /> : null],
            ["Version", String(of.version)],
            ["Updated", <When key="updated" at={of.updated_at} />],
          ]}
        />
      </Panel>
    </>
  );
}

function JobTriggers({ name }: { name: string }) {
  const query = useInfiniteQuery(triggers);
  return (
    <Panel flush title="Triggers">
      <LoadedList query={query} one="trigger" first={100} empty={<NoTrigger />}>
        {(all) => {
          const items = all.filter((trigger) => trigger.job === name);
          if (items.length === 0) return <NoTrigger />;
          return (
            <DataTable
              label="Triggers"
              rows={items}
              rowKey={(trigger) => trigger.name}
              columns={[
                { header: "Name", cell: (trigger) => trigger.name },
                { header: "On", cell: (trigger) => trigger.on.replaceAll("_", " ") },
                { header: "Match", wide: true, cell: (trigger) => <Mono>{trigger.match}</Mono> },
                { header: "Gathers for", cell: (trigger) => duration(trigger.batch_window_ms) },
                { header: "Enabled", cell: (trigger) => (trigger.enabled ? "yes" : "no") },
              ]}
            />
          );
        }}
      </LoadedList>
    </Panel>
  );
}

function NoTrigger() {
  return <Empty title="Nothing starts this job by itself: it runs when somebody runs it." />;
}

function JobRuns({ name }: { name: string }) {
  const query = useInfiniteQuery(runs({ job: name }));
  return (
    <Panel
      flush
      title="Last runs"
      actions={
        <Link to="/runs" search={{ job: name }}>
          All runs of this job
        </Link>
      }
    >
      <LoadedList query={query} one="run" first={5} empty={<Empty title="This job has not run yet." />}>
        {(items) => <RunTable runs={items} />}
      </LoadedList>
    </Panel>
  );
}
