// Connections to other databases: which there are, a form for another, and a button that tries each.
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { createConnection, testConnection } from "../api/actions";
import { connections } from "../api/queries";
import type { Connection } from "../api/types";
import { DataTable } from "../ui/DataTable";
import { Button, Group, PasswordInput, Stack, Text, TextInput } from "../ui/kit";
import { Empty, Failure, LoadedList } from "../ui/Loaded";
import { Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";

export function ConnectionsPage() {
  const list = useInfiniteQuery(connections);
  return (
    <Page
      title="Connections"
      lead="How to get to databases that are elsewhere, so that their tables can be crawled."
      path="/api/v1/connections"
      command="mastic connections list"
    >
      <ConnectionForm />
      <Panel flush title="Connections">
        <LoadedList
          query={list}
          one="connection"
          empty={
            <Empty title="No connection is kept.">
              <Text size="sm">
                With one, <Mono>mastic crawl DATABASE/SCHEMA/% --connection NAME</Mono> brings the tables of a
                PostgreSQL, MySQL or MariaDB into the catalog.
              </Text>
            </Empty>
          }
        >
          {(items) => <ConnectionTable connections={items} />}
        </LoadedList>
      </Panel>
    </Page>
  );
}

function ConnectionForm() {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      createConnection(name.trim(), {
        JDBC_CONNECTION_URL: url.trim(),
        ...(user ? { USERNAME: user } : {}),
        ...(password ? { PASSWORD: password } : {}),
      }),
    onSuccess: () => {
      for (const clear of [setName, setUrl, setUser, setPassword]) clear("");
      client.invalidateQueries({ queryKey: ["connections"] });
    },
  });
  const id = useId();
  return (
    <Panel title="Add a connection">
      <form
        aria-labelledby={id}
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <span id={id} hidden>
          Add a connection
        </span>
        <Stack gap="sm">
          <Group align="flex-end" gap="md">
            <TextInput
              label="Name"
              placeholder="crm"
              required
              withAsterisk={false}
              w={{ base: "100%", sm: 160 }}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <TextInput
              label="URL"
              placeholder="jdbc:postgresql://host:5432/crm"
              pattern="jdbc:.+"
              title="An address such as jdbc:postgresql://host:5432/database"
              required
              withAsterisk={false}
              w={{ base: "100%", sm: 340 }}
              value={url}
              onChange={(event) => setUrl(event.currentTarget.value)}
            />
            <TextInput
              label="User"
              autoComplete="off"
              w={{ base: "100%", sm: 140 }}
              value={user}
              onChange={(event) => setUser(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              autoComplete="new-password"
              w={{ base: "100%", sm: 160 }}
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            <Button type="submit" loading={create.isPending}>
              Add
            </Button>
          </Group>
          {create.isError ? <Failure error={create.error} /> : null}
        </Stack>
      </form>
    </Panel>
  );
}

function placeOf({ properties }: Connection): string | undefined {
  const { JDBC_CONNECTION_URL: url, CONNECTION_URL: other, HOST: host, PORT: port } = properties;
  return url ?? other ?? (host && port ? `${host}:${port}` : host);
}

function ConnectionTable({ connections: items }: { connections: Connection[] }) {
  return (
    <DataTable
      label="Connections"
      rows={items}
      rowKey={(connection) => connection.name}
      columns={[
        { header: "Name", cell: (connection) => connection.name },
        {
          header: "Kind",
          cell: (connection) => <span style={{ whiteSpace: "nowrap" }}>{connection.kind}</span>,
        },
        {
          header: "Where",
          wide: true,
          cell: (connection) => {
            const place = placeOf(connection);
            return place ? <Mono>{place}</Mono> : <Nothing />;
          },
        },
        { header: "Changed", cell: (connection) => <When at={connection.updated_at} /> },
        { header: "Test", wide: true, cell: (connection) => <Test name={connection.name} /> },
      ]}
    />
  );
}

function Test({ name }: { name: string }) {
  const test = useMutation({ mutationFn: () => testConnection(name) });
  return (
    <Stack gap="xs" align="flex-start">
      <Button
        size="xs"
        variant="default"
        loading={test.isPending}
        aria-label={`Test ${name}`}
        onClick={() => test.mutate()}
      >
        Test
      </Button>
      {test.isError ? <Failure error={test.error} /> : null}
      {test.isSuccess ? (
        <Text size="sm" role="status">
          {test.data.message}
        </Text>
      ) : null}
    </Stack>
  );
}
