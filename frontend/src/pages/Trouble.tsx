// A banner over every page while the server is not well: which part, what is wrong, what to do.
import { useQuery } from "@tanstack/react-query";
import { readiness } from "../api/readiness";
import { Notice } from "../ui/Notice";

export function Trouble() {
  const { data } = useQuery(readiness);
  const unwell = data?.parts.filter((part) => !part.ok) ?? [];
  return unwell.map((part) => (
    <Notice
      key={part.part}
      title={part.needed ? "The server can't take changes just now" : `Not well: ${part.part}`}
      message={part.problem}
      hint={part.hint}
    />
  ));
}
