// Bad news in a box: what happened, and what to do about it.
import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface NoticeProps {
  title: string;
  message?: string | null;
  hint?: string | null;
  children?: ReactNode;
}

export function Notice({ title, message, hint, children }: NoticeProps) {
  return (
    <Alert
      // The kit's own red is too pale for small text on this page's ground.
      color="var(--tone-bad)"
      bg="var(--surface)"
      variant="outline"
      icon={<IconAlertTriangle aria-hidden />}
      title={title}
      role="alert"
    >
      <Stack gap={6}>
        {message ? (
          <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
            {message}
          </Text>
        ) : null}
        {hint ? (
          <Text size="sm">
            <strong>Hint:</strong> {hint}
          </Text>
        ) : null}
        {children}
      </Stack>
    </Alert>
  );
}
