// The filter box of a list. Its text lives in the page's address, so that a filtered page can be sent on.
import { CloseButton, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";

interface FilterProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function Filter({ label, value, onChange }: FilterProps) {
  return (
    <TextInput
      type="text"
      size="sm"
      w={{ base: "100%", xs: 260 }}
      aria-label={label}
      placeholder={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") onChange("");
      }}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        value ? <CloseButton size="sm" aria-label="Clear the filter" onClick={() => onChange("")} /> : null
      }
    />
  );
}

/** Whether any of the texts holds every word of the filter. */
export function matches(filter: string, ...texts: (string | null | undefined)[]): boolean {
  const text = texts.filter(Boolean).join("\n").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
