// What to type next, filled with this server's own endpoint and bucket.
import { useQuery } from "@tanstack/react-query";
import { system } from "../api/queries";
import { Command } from "../ui/Command";
import { Text } from "../ui/kit";

function useLake() {
  const { data } = useQuery(system);
  return {
    endpoint: data?.lake?.endpoint ?? null,
    bucket: data?.lake?.buckets[0] ?? "lake",
  };
}

export function UploadHint() {
  const { endpoint, bucket } = useLake();
  const option = endpoint ? ` --endpoint-url ${endpoint}` : "";
  return (
    <>
      <Text size="sm">Put a file into the lake:</Text>
      <Command>{`aws${option} s3 cp trips.csv s3://${bucket}/raw/trips/`}</Command>
    </>
  );
}

export function CrawlHint() {
  const { bucket } = useLake();
  return (
    <>
      <Text size="sm">Find out what is in a prefix, and keep it as tables:</Text>
      <Command>{`mastic crawl s3://${bucket}/raw/ --database raw`}</Command>
    </>
  );
}

export function JobHint() {
  return (
    <>
      <Text size="sm">Register a job from a folder with a job.toml and its script:</Text>
      <Command>mastic jobs register jobs/monthly-union</Command>
    </>
  );
}

export function DemoHint() {
  return (
    <>
      <Text size="sm">Or let the demo tell the whole story on made-up data:</Text>
      <Command>mastic demo</Command>
    </>
  );
}
