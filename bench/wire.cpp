// What a window costs on its way to the wire and back, an event of about 400 bytes: items are events.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>

#include <windlass/batch.h>

#include "base/random.h"
#include "protocol/lumberjack_server.h"
#include "wire/inflate.h"
#include "wire/lumberjack_encoder.h"

namespace {

using windlass::Batch;
using windlass::base::ByteQueue;
using windlass::protocol::LumberjackServer;
using windlass::wire::lumberjack::WindowEncoder;

constexpr std::size_t events = 2048;

// Lines of a web server's log, as the program ships them.
Batch log_lines() {
  windlass::base::Random random(42);
  const char* const paths[] = {"/", "/index.html", "/api/v1/orders", "/api/v1/customers/search", "/static/site.css"};
  const char* const agents[] = {
      "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/119.0 Safari/537.36", "curl/7.88.1"};
  auto buffer = std::make_shared<windlass::EventBuffer>();
  std::size_t offset = 0;
  for (std::size_t i = 0; i < events; ++i) {
    const std::string message = fmt::format(
        R"(10.{}.{}.{} - - [22/Nov/2023:10:{:02}:{:02} +0000] \"GET {}?id={} HTTP/1.1\" {} {} \"-\" \"{}\")",
        random.below(4), random.below(256), random.below(256), i / 60 % 60, i % 60, paths[random.below(5)],
        random.below(1'000'000), random.chance(0.9) ? 200 : 404, random.below(50'000), agents[random.below(3)]);
    buffer->append(fmt::format(
        R"({{"@timestamp":"2023-11-22T10:{:02}:{:02}.{:03}Z","message":"{}","host":{{"name":"web-{:02}.example.net"}},)"
        R"("log":{{"file":{{"path":"/var/log/nginx/access.log"}},"offset":{}}},"@metadata":{{"_id":"{:016x}"}}}})",
        i / 60 % 60, i % 60, random.below(1000), message, random.below(20), offset, random()));
    offset += message.size() + 1;
  }
  return Batch(std::move(buffer));
}

std::string encoded(const Batch& batch, int level) {
  ByteQueue out;
  WindowEncoder(level).encode(batch, out);
  return std::string(out.view());
}

void count(benchmark::State& state, std::size_t bytes_out) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * events));
  state.counters["time/event"] = benchmark::Counter(static_cast<double>(state.iterations() * events),
                                                    benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/event"] = static_cast<double>(bytes_out) / events;
}

void encode(benchmark::State& state) {
  const Batch batch = log_lines();
  WindowEncoder encoder(static_cast<int>(state.range(0)));
  ByteQueue out;
  std::size_t size = 0;
  for (auto _ : state) {
    out.clear();
    encoder.encode(batch, out);
    size = out.size();
    benchmark::DoNotOptimize(out.data());
  }
  count(state, size);
}
BENCHMARK(encode)->ArgName("level")->Arg(0)->Arg(3)->Arg(6)->Arg(9);

// The server's side, fed as a socket would, 64 KiB a read.
void decode(benchmark::State& state) {
  const std::string window = encoded(log_lines(), static_cast<int>(state.range(0)));
  LumberjackServer server;
  for (auto _ : state) {
    for (std::string_view rest = window; !rest.empty();) {
      const std::string_view read = rest.substr(0, 64 * 1024);
      if (server.receive(read)) state.SkipWithError("refused");
      rest.remove_prefix(read.size());
      while (const auto event = server.poll()) benchmark::DoNotOptimize(event->payload.data());
    }
    server.ack(events);
    server.output().clear();
  }
  count(state, window.size());
}
BENCHMARK(decode)->ArgName("level")->Arg(0)->Arg(3);

}  // namespace
