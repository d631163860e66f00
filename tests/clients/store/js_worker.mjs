// The JavaScript SDK, told what to do by lines of JSON. Takes the folder of its packages, the URL, and the key pair.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const [folder, endpoint, accessKeyId, secretAccessKey] = process.argv.slice(2);
const require = createRequire(resolve(folder, "package.json"));
const sdk = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const client = new sdk.S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey },
});
const encoded = (source) => source.split("/").map(encodeURIComponent).join("/");

const operations = {
  about: () => `@aws-sdk/client-s3 ${require("@aws-sdk/client-s3/package.json").version}`,
  async put({ bucket, key, body, metadata, kind, if_none_match }) {
    const input = { Bucket: bucket, Key: key, Body: body, Metadata: metadata, ContentType: kind, IfNoneMatch: if_none_match };
    await client.send(new sdk.PutObjectCommand(input));
    return null;
  },
  async upload({ bucket, key, body }) {
    const params = { Bucket: bucket, Key: key, Body: body };
    await new Upload({ client, params, partSize: 5 << 20 }).done();
    return null;
  },
  async get({ bucket, key, first, last, if_none_match }) {
    const Range = first === undefined ? undefined : `bytes=${first}-${last}`;
    const found = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key, Range, IfNoneMatch: if_none_match }));
    return { bytes: Buffer.from(await found.Body.transformToByteArray()).toString("base64") };
  },
  async head({ bucket, key }) {
    const found = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }));
    return { size: found.ContentLength, metadata: found.Metadata, kind: found.ContentType, etag: found.ETag };
  },
  async list({ bucket, prefix, delimiter }) {
    const [keys, prefixes] = [[], []];
    const input = { Bucket: bucket, Prefix: prefix, Delimiter: delimiter || undefined, MaxKeys: 3 };
    // XML can't hold every key; then the store encodes them, and says so.
    const decoded = (page, text) => (page.EncodingType === "url" ? decodeURIComponent(text) : text);
    for await (const page of sdk.paginateListObjectsV2({ client }, input)) {
      keys.push(...(page.Contents ?? []).map((found) => decoded(page, found.Key)));
      prefixes.push(...(page.CommonPrefixes ?? []).map((found) => decoded(page, found.Prefix)));
    }
    return { keys, prefixes };
  },
  async copy({ bucket, source, key }) {
    await client.send(new sdk.CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: encoded(`${bucket}/${source}`) }));
    return null;
  },
  async delete({ bucket, keys }) {
    const Objects = keys.map((Key) => ({ Key }));
    const done = await client.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    if (done.Deleted?.length !== keys.length) throw new Error(JSON.stringify(done));
    return null;
  },
  async presign({ bucket, key, method }) {
    const Command = method === "get" ? sdk.GetObjectCommand : sdk.PutObjectCommand;
    return getSignedUrl(client, new Command({ Bucket: bucket, Key: key }), { expiresIn: 60 });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, with: wanted } = JSON.parse(line);
  if (wanted.body !== undefined) wanted.body = Buffer.from(wanted.body, "base64");
  try {
    console.log(JSON.stringify({ answer: await operations[name](wanted) }));
  } catch (error) {
    const status = error.$metadata?.httpStatusCode;
    const isNamed = error.name && !["Error", "Unknown", "UnknownError"].includes(error.name);
    const code = isNamed ? error.name : status && String(status);
    console.log(JSON.stringify({ error: code, text: String(error) }));
  }
}
