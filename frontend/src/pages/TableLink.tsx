// A link to a table that is named "database.table".
import { Link } from "../ui/link";
import { Mono } from "../ui/Page";

export function TableLink({ name }: { name: string }) {
  const dot = name.indexOf(".");
  if (dot < 1) return <Mono>{name}</Mono>;
  return (
    <Link
      to="/databases/$database/tables/$table"
      params={{ database: name.slice(0, dot), table: name.slice(dot + 1) }}
    >
      {name}
    </Link>
  );
}
