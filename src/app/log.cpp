#include "app/log.h"

#include <memory>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace windlass::app {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void set_up_log() {
  auto log = std::make_shared<spdlog::logger>("windlass", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  log->set_pattern("%H:%M:%S.%e %^%l%$ %v");
  log->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(log));
}

void heed(const Config& config) {
  spdlog::set_level(level_of(config.log_level));
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);
}

}  // namespace windlass::app
