#include "trace.h"

#include <algorithm>
#include <fmt/format.h>

#include <windlass/error.h>

namespace windlass::sim {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0xff51afd7ed558ccdu;
  return hash ^ (hash >> 32);
}

std::string from_error(const std::error_code& error) {
  return error ? fmt::format("  ({})", error.message()) : std::string();
}

}  // namespace

std::string describe(const Step& step) {
  const auto line = [&](const char* name, const std::string& rest) {
    const double seconds = std::chrono::duration<double>(step.at.time_since_epoch()).count();
    return fmt::format("{:>14.9f}  {:<12}  {}{}", seconds, name, rest, from_error(step.error));
  };
  const std::string connection = fmt::format("worker {} connection {}", step.worker, step.connection);
  const std::string attempt = fmt::format("worker {} attempt {}", step.worker, step.attempt);
  using Kind = Step::Kind;
  switch (step.kind) {
    case Kind::offer:
      return line("offer", fmt::format("{} events from #{}", step.x, step.y));
    case Kind::drain:
      return line("drain", fmt::format("within {} ms", step.x));
    case Kind::close:
      return line("close", "");
    case Kind::join:
      return line("join", fmt::format("worker {}", step.worker));
    case Kind::remove:
      return line("remove", fmt::format("worker {} within {} ms", step.worker, step.x));
    case Kind::connected:
      return line("connected", connection);
    case Kind::lost:
      return line("lost", connection);
    case Kind::disconnected:
      return line("disconnected", connection);
    case Kind::alive:
      return line("alive", connection);
    case Kind::progress:
      return line("progress", fmt::format("{}: the first {}", attempt, step.x));
    case Kind::result:
      return line("result", fmt::format("{}: {}{}", attempt,
                                        step.x == ~std::uint32_t{0} ? "all" : fmt::format("the first {}", step.x),
                                        step.y == 0 ? "" : fmt::format(", without {} single ones", step.y)));
    case Kind::timeout:
      return line("timeout", "");
    case Kind::settled:
      return line("> settled", fmt::format("{} events from #{}", step.x, step.y));
    case Kind::dead_letter:
      return line("> dead letter", fmt::format("{} events", step.x));
    case Kind::disconnect:
      return line("> disconnect", connection);
    case Kind::connect:
      return line("> connect", connection);
    case Kind::send:
      return line("> send", fmt::format("{}: {} events from #{}", attempt, step.x, step.y));
    case Kind::replace:
      return line("> replace", fmt::format("worker {} by worker {}", step.worker, step.x));
    case Kind::left:
      return line("> left", fmt::format("worker {}", step.worker));
    case Kind::mode: {
      static constexpr const char* modes[] = {"well",       "down",      "a black hole",   "slow",
                                              "keep-alive", "throttled", "failing at once"};
      return line("~ mode", fmt::format("endpoint {} is {}", step.worker, modes[step.x]));
    }
    case Kind::jump:
      return line("~ jump", fmt::format("the clock jumps by {} ms", step.x));
    case Kind::heal:
      return line("~ heal", "faults end");
    case Kind::bytes:
      return line("~ bytes", fmt::format("{}: {} {} the peer", connection, step.x, step.y == 0 ? "to" : "from"));
    case Kind::cut:
      return line("~ cut", fmt::format("{}: {} bytes to the peer and {} from it are lost", connection, step.x, step.y));
  }
  return {};
}

void Trace::add(const Step& step) {
  // Addresses of error categories differ between runs; their values do not.
  const auto error = static_cast<std::uint64_t>(step.error.value()) * 2 + (step.error.category() == error_category());
  hash_ = mix(hash_, static_cast<std::uint64_t>(step.at.time_since_epoch().count()));
  hash_ = mix(hash_, static_cast<std::uint64_t>(step.kind) << 56 ^ error << 40 ^ std::uint64_t{step.worker} << 32 ^
                         step.connection);
  hash_ = mix(hash_, std::uint64_t{step.attempt} << 32 ^ std::uint64_t{step.x} << 16 ^ step.y);
  last_[count_++ % kept] = step;
  steps_ += step.of_the_balancer();
  if (output_) fmt::print(output_, "{}\n", describe(step));
}

void Trace::write_last(std::FILE* to) const {
  for (std::uint64_t index = count_ - std::min<std::uint64_t>(count_, kept); index < count_; ++index)
    fmt::print(to, "{}\n", describe(last_[index % kept]));
}

}  // namespace windlass::sim
