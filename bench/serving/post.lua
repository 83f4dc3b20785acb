-- Posts the body in the file that BENCH_BODY names, and prints what it saw as one line of JSON.
local file = assert(io.open(os.getenv('BENCH_BODY'), 'rb'))
wrk.method = 'POST'
wrk.body = file:read('*a')
file:close()

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "meanUs": %f, "deviationUs": %f, ' ..
      '"p50Us": %d, "p90Us": %d, "p99Us": %d, "failures": %d}\n',
    summary.requests, summary.duration / 1e6, latency.mean, latency.stdev,
    latency:percentile(50), latency:percentile(90), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
