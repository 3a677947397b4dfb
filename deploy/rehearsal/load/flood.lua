-- wrk's script of a flood: the calls of the plan in turn, each connection about one a second. Ends with a line of JSON.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  calls, turn, statuses = dofile(args[1]), 0, {}
  math.randomseed(os.time())
end

function delay()
  return math.random(0, 2000)
end

function request()
  turn = turn % #calls + 1
  local call = calls[turn]
  return wrk.format(call.method, call.path, call.headers, call.body)
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary)
  local counted = {}
  for _, thread in ipairs(threads) do
    for status, n in pairs(thread:get("statuses")) do
      table.insert(counted, string.format('"%d": %d', status, n))
    end
  end
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "seconds": %.3f, "statuses": {%s}, "broken": %d}\n', summary.requests,
    summary.duration / 1e6, table.concat(counted, ", "), errors.connect + errors.read + errors.write + errors.timeout))
end
