// A configuration of any bytes: it is either read, within limits, or refused with a place.
//
// Input: how many options follow (a byte: its last two bits are -E, the next two --to, the next one --listen); as many
// lines; the YAML.
#include <string>
#include <vector>

#include "app/config_reader.h"
#include "app/output.h"
#include "app/target.h"
#include "input.h"

namespace {

using windlass::app::Config;
using windlass::app::ConfigError;
using windlass::app::OutputConfig;
using windlass::fuzz::require;

std::vector<std::string> lines(std::string_view& bytes, unsigned count) {
  std::vector<std::string> result;
  for (; count > 0; --count) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    result.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return result;
}

template <typename Read>
void refused_or(Read read) {
  try {
    read();
  } catch (const ConfigError& error) {
    require(!error.place().source.empty(), "an error needs its place");
    require(std::string_view(error.what()).starts_with(error.place().text() + ": "), "an error begins with its place");
    require(std::string_view(error.what()).size() < 4096, "an error is for people");
    for (const char byte : std::string_view(error.what()))
      require(static_cast<unsigned char>(byte) >= 0x20, "an error is one line, without control characters");
  }
}

void check(const Config& config) {
  const OutputConfig& output = config.output;
  const bool hosts = windlass::app::traits_of(output.type).hosts;
  require(output.hosts.empty() != hosts && output.hosts.size() <= OutputConfig::max_hosts, "hosts");
  require(output.type != windlass::app::OutputType::file || !output.file.path.empty(), "a file has a path");
  for (const auto& host : output.hosts)
    require(!host.address.host.empty() && host.address.port != 0, "a host has name and port");
  require(output.worker >= 1 && output.worker <= 256, "worker");
  require(!output.pipelining || (*output.pipelining >= 1 && *output.pipelining <= 1024), "pipelining");
  require(output.bulk_max_size >= 1 && output.bulk_max_size <= traits_of(output.type).max_bulk_size, "bulk_max_size");
  require(output.compression_level >= 0 && output.compression_level <= 9, "compression_level");
  require(output.timeout.count() > 0 && output.ttl.count() >= 0 && config.progress_timeout.count() > 0, "times");
  require(output.backoff.init.count() > 0 && output.backoff.init <= output.backoff.max, "backoff");
  require(config.queue.events > 0 && config.queue.bytes > 0, "queue");
  require(!output.tls || output.tls->certificate.empty() == output.tls->key.empty(), "certificate and key");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  windlass::fuzz::Input input(data, size);
  const unsigned counts = input.byte();
  std::string_view rest = input.rest();
  const auto overrides = lines(rest, counts & 3);
  const auto to = lines(rest, counts >> 2 & 3);
  const auto listen = lines(rest, counts >> 4 & 1);
  for (const std::string& url : listen) refused_or([&] { windlass::app::read_listen(url); });
  refused_or([&] { check(windlass::app::read_config_text(rest, "windlass.yml", to, overrides)); });
  return 0;
}
