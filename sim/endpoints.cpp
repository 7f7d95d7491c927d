#include "endpoints.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace windlass::sim {
namespace {

namespace kind_of {
constexpr std::uint32_t connected = kind::of_network;  // who: worker, what: connection
constexpr std::uint32_t lost = connected + 1;          // who: worker, what: connection
constexpr std::uint32_t refused = connected + 2;       // who: worker, what: connection
constexpr std::uint32_t disconnected = connected + 3;  // who: worker, what: connection
constexpr std::uint32_t alive = connected + 4;         // who: worker, what: connection
constexpr std::uint32_t progress = connected + 5;      // who: attempt, what: count
constexpr std::uint32_t acked = connected + 6;         // who: attempt
constexpr std::uint32_t answer = connected + 7;        // who: the answer
}  // namespace kind_of

}  // namespace

void Endpoints::connect(core::ConnectionId connection) {
  if (connections_.size() <= connection.worker) connections_.resize(connection.worker + 1);
  connections_[connection.worker] = connection.number;
  const Host& host = hosts_.of(connection.worker);
  const base::Duration turn_around = 2 * host.latency;
  if (host.mode == Mode::down || stage_.fault(&Scenario::refuse))
    return stage_.later(turn_around, kind_of::refused, connection.worker, connection.number);
  if (host.mode == Mode::black_hole || stage_.fault(&Scenario::hang)) return;
  stage_.later(turn_around, kind_of::connected, connection.worker, connection.number);
  if (stage_.fault(&Scenario::idle_cut))
    lose_soon(connection.worker, turn_around + stage_.up_to(4 * stage_.scenario.time(&Scenario::wait_retry)));
}

void Endpoints::disconnect(core::ConnectionId connection) {
  // Closing takes a moment, now and then a long one.
  const base::Duration delay =
      stage_.healed || stage_.random.chance(0.9) ? base::Duration(1000) : stage_.up_to(std::chrono::seconds(2));
  stage_.later(delay, kind_of::disconnected, connection.worker, connection.number);
  if (stage_.fault(&Scenario::stale)) {
    stage_.later(delay + stage_.up_to(std::chrono::seconds(1)), kind_of::lost, connection.worker, connection.number);
    stage_.later(delay + stage_.up_to(std::chrono::seconds(1)), kind_of::connected, connection.worker,
                 connection.number);
  }
}

void Endpoints::went_down(core::WorkerId worker) {
  if (connection_of(worker) > 0) lose_soon(worker, hosts_.of(worker).latency);
}

void Endpoints::lose_soon(core::WorkerId worker, base::Duration delay) {
  stage_.later(delay, kind_of::lost, worker, connection_of(worker));
}

void Endpoints::keep_alive(core::WorkerId worker) {
  stage_.later(stage_.scenario.time(&Scenario::timeout) / 3, kind_of::alive, worker, connection_of(worker));
}

std::uint32_t Endpoints::count_in(const Batch& batch) {
  return static_cast<std::uint32_t>(stage_.random.below(batch.size() + 1));
}

void Endpoints::send(core::WorkerId worker, std::uint32_t attempt, const Batch& batch) {
  Host& host = hosts_.of(worker);
  if (host.mode == Mode::black_hole || stage_.fault(&Scenario::never)) return;
  if (host.mode == Mode::keep_alive || stage_.fault(&Scenario::keep_alive)) return keep_alive(worker);
  if (host.mode == Mode::down || stage_.fault(&Scenario::cut)) {
    if (stage_.random.chance(0.5)) stage_.later(host.latency, kind_of::progress, attempt, count_in(batch));
    return lose_soon(worker, host.latency + stage_.up_to(host.latency));
  }
  if (host.mode == Mode::throttled)
    return answer_at(stage_.now + 2 * host.latency, attempt, batch, PublishResult::throttled());
  if (host.mode == Mode::failing)
    return answer_at(stage_.now + stage_.up_to(host.latency), attempt, batch, PublishResult::failed(errc::temporary));
  plan(worker, attempt, batch);
}

void Endpoints::plan(core::WorkerId worker, std::uint32_t attempt, const Batch& batch) {
  Host& host = hosts_.of(worker);
  const Scenario& scenario = stage_.scenario;
  base::Time at = hosts_.serve(host, batch.size()) + host.latency;
  if (std::any_of(batch.begin(), batch.end(),
                  [&](std::string_view event) { return spoils(scenario, number_of(event)); })) {
    if (scenario.poisoning > 2) return answer_at(at, attempt, batch, failing_poison(batch));
    if (scenario.poisoning > 1) return lose_soon(worker, at - stage_.now);
    return answer_at(at, attempt, batch, PublishResult::failed(errc::temporary));
  }
  if (stage_.fault(&Scenario::late))
    at += scenario.time(&Scenario::timeout) + stage_.up_to(scenario.time(&Scenario::progress_timeout));
  if (stage_.fault(&Scenario::partial)) {
    for (std::uint64_t times = stage_.random.below(4); times > 0; --times)
      stage_.agenda.add(stage_.now + stage_.up_to(at - stage_.now), kind_of::progress, attempt, count_in(batch));
  }
  if (stage_.fault(&Scenario::out_of_range))
    stage_.agenda.add(at, kind_of::progress, attempt, batch.size() + stage_.random.below(1000));
  if (stage_.fault(&Scenario::repeated))
    answer_at(at + stage_.up_to(at - stage_.now), attempt, batch,
              stage_.random.chance(0.5) ? failure(batch) : PublishResult::acked());
  if (stage_.fault(&Scenario::fail)) return answer_at(at, attempt, batch, failure(batch));
  if (stage_.fault(&Scenario::throttle)) {
    PublishResult result = PublishResult::throttled();
    if (stage_.random.chance(0.5)) result.rest_from = count_in(batch);
    if (stage_.random.chance(0.5))
      result.retry_after = stage_.up_to(2 * scenario.time(&Scenario::wait_retry)) - std::chrono::milliseconds(1);
    return answer_at(at, attempt, batch, std::move(result));
  }
  if (stage_.fault(&Scenario::hand_back)) return answer_at(at, attempt, batch, handed_back(batch));
  if (stage_.fault(&Scenario::mixed)) return answer_at(at, attempt, batch, mixed(batch));
  if (scenario.poison > 0 && scenario.poisoning < 1) return answer_at(at, attempt, batch, PublishResult::acked());
  stage_.agenda.add(at, kind_of::acked, attempt);
}

PublishResult Endpoints::failure(const Batch& batch) {
  static const std::error_code errors[] = {
      errc::temporary,
      errc::abandoned,
      errc::connection_lost,
      errc::timeout,
      errc::protocol_error,
      std::make_error_code(std::errc::connection_reset),
      std::make_error_code(std::errc::no_buffer_space),
      std::make_error_code(std::errc::message_size),
      errc::rejected,
  };
  return PublishResult::acked_first(stage_.random.chance(0.6) ? 0 : count_in(batch),
                                    errors[stage_.random.below(std::size(errors))]);
}

PublishResult Endpoints::handed_back(const Batch& batch) {
  PublishResult result;
  if (stage_.random.chance(0.5)) {
    result.rest_from = count_in(batch);
  } else {
    for (std::uint32_t index = 0; index < batch.size(); ++index)
      if (stage_.random.chance(0.5)) result.rest.push_back({index, {}});
  }
  return result;
}

PublishResult Endpoints::mixed(const Batch& batch) {
  PublishResult result = stage_.random.chance(0.7) ? PublishResult::acked() : failure(batch);
  const double share = stage_.random.unit();
  for (std::uint32_t index = 0; index < batch.size(); ++index) {
    if (!stage_.random.chance(share)) continue;
    static const std::error_code reasons[] = {
        errc::temporary, errc::throttled, errc::rejected, {}, std::make_error_code(std::errc::invalid_argument)};
    result.rest.push_back({index, reasons[stage_.random.below(std::size(reasons))]});
  }
  if (stage_.fault(&Scenario::out_of_range))
    result.rest.push_back({static_cast<std::uint32_t>(batch.size() + stage_.random.below(9)), errc::rejected});
  return result;
}

/// The events that no endpoint takes fail, each for itself; the others are taken.
PublishResult Endpoints::failing_poison(const Batch& batch) const {
  PublishResult result;
  std::uint32_t index = 0;
  for (const std::string_view event : batch) {
    if (spoils(stage_.scenario, number_of(event))) result.rest.push_back({index, errc::temporary});
    ++index;
  }
  return result;
}

void Endpoints::reject_poison(PublishResult& result, const Batch& batch) const {
  std::vector<PublishResult::Unpublished> rest;
  auto listed = result.rest.begin();
  std::uint32_t index = 0;
  for (const std::string_view event : batch) {
    const bool is_listed = listed != result.rest.end() && listed->index == index;
    if (index < result.rest_from && poisoned(stage_.scenario, number_of(event))) {
      rest.push_back({index, errc::rejected});
    } else if (is_listed) {
      rest.push_back(*listed);
    }
    if (is_listed) ++listed;
    ++index;
  }
  rest.insert(rest.end(), listed, result.rest.end());
  result.rest = std::move(rest);
}

void Endpoints::answer_at(base::Time at, std::uint32_t attempt, const Batch& batch, PublishResult result) {
  if (stage_.scenario.poison > 0 && stage_.scenario.poisoning < 1) reject_poison(result, batch);
  if (free_answers_.empty()) {
    free_answers_.push_back(static_cast<std::uint32_t>(answers_.size()));
    answers_.emplace_back();
  }
  const std::uint32_t place = free_answers_.back();
  free_answers_.pop_back();
  answers_[place] = {attempt, std::move(result)};
  stage_.agenda.add(at, kind_of::answer, place);
}

void Endpoints::happened(const Happening& what) {
  const core::ConnectionId connection{what.who, static_cast<std::uint32_t>(what.what)};
  switch (what.kind) {
    case kind_of::connected:
      return inputs_.connected(connection);
    case kind_of::lost:
      return inputs_.lost(connection, stage_.random.chance(0.5) ? std::error_code() : errc::connection_lost);
    case kind_of::refused:
      return inputs_.lost(connection, errc::connect_failed);
    case kind_of::disconnected:
      return inputs_.disconnected(connection);
    case kind_of::alive:
      inputs_.alive(connection);
      if (!stage_.healed && connection_of(what.who) == connection.number) keep_alive(what.who);
      return;
    case kind_of::progress:
      return inputs_.progress(what.who, static_cast<std::uint32_t>(what.what));
    case kind_of::acked:
      return inputs_.result(what.who, PublishResult::acked());
    case kind_of::answer: {
      const Answer answer = std::move(answers_[what.who]);
      free_answers_.push_back(what.who);
      return inputs_.result(answer.attempt, answer.result);
    }
  }
}

}  // namespace windlass::sim
