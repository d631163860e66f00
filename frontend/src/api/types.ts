// Short names for the generated schema types, so that pages don't index into it.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Database = Schemas["Database"];
export type TableSummary = Schemas["TableSummary"];
export type Table = Schemas["Table"];
export type Column = Schemas["Column"];
export type Partition = Schemas["Partition"];
export type TableVersion = Schemas["TableVersion"];
export type Connection = Schemas["Connection"];
export type Crawler = Schemas["Crawler"];
export type CrawlSummary = Schemas["CrawlSummary"];
export type Crawl = Schemas["Crawl"];
export type Plan = Schemas["Plan"];
export type Change = Plan["changes"][number];
export type PlanTable = Plan["tables"][number];
export type Job = Schemas["Job"];
export type Run = Schemas["Run"];
export type RunState = Run["state"];
export type LogLine = Schemas["LogLine"];
export type Trigger = Schemas["Trigger"];
export type Event = Schemas["Event"];
export type Outcome = Event["outcomes"][number];
export type QueryResult = Schemas["QueryResult"];
export type System = Schemas["System"];
export type Problem = Schemas["Problem"];

/** What every list answers. `next` is absent or null on the last page. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}
