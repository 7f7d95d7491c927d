// From bytes to events: what a line costs before it meets the balancer.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <cstdio>
#include <string>
#include <unistd.h>

#include <windlass/event_buffer.h>

#include "app/event_encoder.h"
#include "app/json_line.h"
#include "app/line_reader.h"
#include "base/assert.h"

namespace windlass::app {
namespace {

constexpr std::size_t line_length = 250;
constexpr std::size_t block = 2048;

std::string repeated(std::string_view pattern) {
  std::string line;
  while (line.size() < line_length) line += pattern;
  return line.substr(0, line_length);
}

void encode(benchmark::State& state, const std::string& line) {
  const EventEncoder encoder("localhost", "/var/log/app/current.log", 0x0123456789abcdef);
  EventBuffer events;
  std::uint64_t offset = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    for (std::size_t index = 0; index < block; ++index) encoder.encode(line, offset += line.size() + 1, events);
    benchmark::DoNotOptimize(events[events.size() - 1].data());
    bytes += events.bytes();
    events.clear();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * block));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void encode_ascii(benchmark::State& state) {
  encode(state, repeated("the quick brown fox jumps over the lazy dog, "));
}
void encode_quotes(benchmark::State& state) {
  encode(state, repeated(R"(GET "/a/page" 200 "Mozilla/5.0" )"));
}
void encode_cyrillic(benchmark::State& state) {
  encode(state, repeated("съешь ещё этих мягких французских булок, "));
}
void encode_binary(benchmark::State& state) {
  encode(state, repeated("\xff\x01\xfe\x02"));
}
BENCHMARK(encode_ascii);
BENCHMARK(encode_quotes);
BENCHMARK(encode_cyrillic);
BENCHMARK(encode_binary);

void check_json(benchmark::State& state) {
  const std::string line =
      R"({"@timestamp":"2024-05-06T07:08:09.123Z","message":")" + std::string(170, 'x') + R"(","level":3,"ok":true})";
  JsonLineChecker checker;
  for (auto _ : state) benchmark::DoNotOptimize(checker.is_object(line));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(check_json);

void read_lines(benchmark::State& state) {
  constexpr std::size_t lines = 100'000;
  std::FILE* file = std::tmpfile();
  WINDLASS_ASSERT(file != nullptr);
  const std::string line = repeated("the quick brown fox jumps over the lazy dog, ") + '\n';
  for (std::size_t index = 0; index < lines; ++index) std::fputs(line.c_str(), file);
  std::fflush(file);
  for (auto _ : state) {
    ::lseek(fileno(file), 0, SEEK_SET);
    LineReader reader(fileno(file), {});
    LineReader::Line found;
    while (reader.fill() == LineReader::Filled::block)
      while (reader.next(found)) benchmark::DoNotOptimize(found.text.data());
    WINDLASS_ASSERT(reader.counters().lines == lines);
  }
  std::fclose(file);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * lines));
}
BENCHMARK(read_lines);

}  // namespace
}  // namespace windlass::app
