-- For wrk: sends requests of one operation, taken at random from a file that has a body on each line, and prints what
-- it saw as one line of JSON, because wrk's own words round.

local requests = {}

function init(arguments)
  local operation, file = arguments[1], arguments[2]
  local headers = {
    ["Content-Type"] = "application/x-amz-json-1.1",
    ["X-Amz-Target"] = "AWSGlue." .. operation,
    ["Authorization"] = arguments[3],
  }
  for body in io.lines(file) do
    requests[#requests + 1] = wrk.format("POST", "/", headers, body)
  end
  math.randomseed(1)
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.3f, "p50": %.3f, "p99": %.3f, "errors": %d}\n',
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
