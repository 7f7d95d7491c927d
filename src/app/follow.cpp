#include "app/follow.h"

#include <algorithm>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <stdexcept>
#include <utility>
#include <vector>

namespace windlass::app {
namespace {

void tell(const input::Note& note) {
  using Level = input::Note::Level;
  spdlog::log(note.level == Level::error     ? spdlog::level::err
              : note.level == Level::warning ? spdlog::level::warn
              : note.level == Level::info    ? spdlog::level::info
                                             : spdlog::level::debug,
              "{}", note.text);
}

std::vector<std::regex> regexes(const std::vector<std::string>& patterns) {
  return {patterns.begin(), patterns.end()};
}

std::vector<input::FollowedPaths> followed(const std::vector<FileInputConfig>& inputs) {
  std::vector<input::FollowedPaths> result;
  for (const FileInputConfig& from : inputs) {
    input::FollowedPaths paths;
    for (const std::string& pattern : from.paths) paths.paths.emplace_back(pattern);
    paths.excluded = regexes(from.excluded);
    paths.included = regexes(from.included);
    paths.links = from.links;
    paths.ignore_older = from.ignore_older;
    paths.close_inactive = from.close_inactive;
    result.push_back(std::move(paths));
  }
  return result;
}

input::FileInput::Options reading(const Config& config, bool once) {
  input::FileInput::Options options;
  options.flush_interval = config.registry.flush;
  input::FileFollower::Options& following = options.following;
  following.once = once;
  // As large as what is handed over may be.
  following.piece_events = std::min(following.piece_events, config.queue.events);
  following.piece_bytes = std::min(following.piece_bytes, config.queue.bytes / 2);
  following.clean_inactive = base::Duration(0);
  std::size_t limit = 0;
  for (const FileInputConfig& input : config.inputs) {
    options.check_interval = std::min(options.check_interval, input.check_interval);
    following.clean_inactive = std::max(following.clean_inactive, input.clean_inactive);
    limit += input.harvester_limit;
  }
  if (limit > 0) following.max_open_files = limit;
  return options;
}

input::Registry& load(input::Registry& registry, input::RegistryDirectory& directory, const Config& config) {
  const std::string path = config.registry.path.empty() ? config.data_path + "/registry" : config.registry.path;
  if (const std::error_code error = directory.open(path)) {
    if (error == std::errc::device_or_resource_busy)
      throw std::runtime_error(
          fmt::format("the registry {} is in use by another process; give each its own path.data", path));
    throw std::runtime_error(
        fmt::format("the registry {}: {}; path.data or registry.path says where it is", path, error.message()));
  }
  const input::Registry::Loaded loaded = registry.load();
  if (loaded.error)
    throw std::runtime_error(fmt::format("the registry {} cannot be read: {}", path, loaded.error.message()));
  if (loaded.foreign)
    spdlog::error("the registry {} is none that this version knows: files are read from their beginnings", path);
  if (loaded.damaged_lines > 0)
    spdlog::error(
        "the registry {} has {} damaged lines: files for which nothing else stands there are read from their "
        "beginnings",
        path, loaded.damaged_lines);
  if (loaded.foreign || loaded.damaged_lines > 0) {
    if (loaded.aside_error)
      throw std::runtime_error(fmt::format("the damaged registry cannot be kept as {}: {}", directory.damaged_path(),
                                           loaded.aside_error.message()));
    spdlog::error("what was there is kept as {}", directory.damaged_path());
  }
  return registry;
}

}  // namespace

std::error_code Follow::Door::publish(EventBuffer&& events, std::uint64_t token) {
  input::FileInput* const to = input;
  const auto settle = [to, token](const Outcome& outcome) {
    // What was closed upon comes again in another run; what was given up for good would only fail again.
    if (outcome.reason != errc::closed) to->settle(token);
  };
  // What the queue on disk has outlives us, so from there on it is the queue's, and not to be read again.
  return balancer->publish_events(std::move(events), settle, {.signal_at = PublishOptions::SignalAt::durable});
}

Follow::Follow(const Config& config, const Options& options)
    : registry_(directory_),
      lines_(options.json, options.host),
      once_(options.once),
      input_(load(registry_, directory_, config), lines_, door_, followed(config.inputs), reading(config, options.once),
             tell) {
  door_.input = &input_;
}

bool Follow::run(LoadBalancer& balancer) {
  door_.balancer = &balancer;
  const bool to_the_ends = input_.run();
  return once_ ? to_the_ends : true;
}

InputCounters Follow::counters() const {
  const input::FollowCounters& counters = input_.counters();
  const input::FollowState state = input_.state();
  InputCounters result;
  result.lines = counters.lines;
  result.bytes = counters.bytes;
  result.empty_lines = counters.empty_lines;
  result.cut_lines = counters.cut_lines;
  result.refused_lines = counters.refused_lines;
  result.failed_inputs = counters.failed;
  result.files.emplace();
  result.files->found = counters.found;
  result.files->replaced = counters.replaced;
  result.files->copies = counters.copies;
  result.files->open = state.open;
  result.files->lag_bytes = state.undelivered;
  return result;
}

}  // namespace windlass::app
