// Whatever happens, in whatever order: the ledger adds up, each accepted publish is signalled once, no window and no
// budget is exceeded. The world checks most of it at every step.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>

#include "core/any_run.h"
#include "core/earliest_finish.h"

namespace windlass::core {
namespace {

std::vector<unsigned> bounds_of(const std::vector<WorkerOptions>& workers) {
  std::vector<unsigned> bounds;
  for (const WorkerOptions& worker : workers) bounds.push_back(worker.window);
  return bounds;
}

std::unique_ptr<HandOutPolicy> any_policy(const std::vector<WorkerOptions>& workers) {
  if (*rc::gen::arbitrary<bool>()) return fixed_windows(bounds_of(workers));
  return std::make_unique<EarliestFinish>(bounds_of(workers));
}

rc::Gen<std::vector<Step>> steps(std::initializer_list<std::pair<std::size_t, Step::Kind>> weights) {
  std::vector<Step::Kind> kinds;
  for (const auto& [weight, kind] : weights) kinds.insert(kinds.end(), weight, kind);
  return rc::gen::scale(3, rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
                               rc::gen::set(&Step::kind, rc::gen::elementOf(kinds)),
                               rc::gen::set(&Step::number, rc::gen::inRange<std::uint32_t>(0, 10000)))));
}

rc::Gen<std::vector<Step>> any_steps() {
  return steps({{20, Step::publish},
                {4, Step::publish_guaranteed},
                {8, Step::publish_each},
                {20, Step::ack},
                {10, Step::nack},
                {10, Step::return_some},
                {8, Step::progress},
                {5, Step::lose},
                {3, Step::alive},
                {4, Step::change_connects},
                {3, Step::accept},
                {5, Step::late},
                {2, Step::join},
                {2, Step::remove},
                {12, Step::little_time},
                {3, Step::much_time}});
}

Options any_options() {
  Options options;
  options.max_attempts = *rc::gen::inRange(0, 5);
  options.guaranteed = *rc::gen::weightedElement<bool>({{5, false}, {1, true}});
  options.dead_letter = *rc::gen::arbitrary<bool>();
  options.queue_events = *rc::gen::inRange<std::size_t>(5, 100);
  options.queue_bytes = *rc::gen::inRange<std::size_t>(50, 1000);
  options.bulk_max_events = *rc::gen::inRange(1u, 15u);
  options.bulk_max_bytes = *rc::gen::inRange<std::size_t>(1, 60);
  return options;
}

std::vector<WorkerOptions> any_workers() {
  std::vector<WorkerOptions> workers(*rc::gen::inRange<std::size_t>(1, 5));
  for (WorkerOptions& worker : workers) {
    worker.window = *rc::gen::inRange(1u, 5u);
    worker.priority = *rc::gen::weightedElement<unsigned>({{4, 0}, {1, 1}, {1, 2}});
    worker.ttl = *rc::gen::weightedElement<base::Duration>({{3, 0s}, {1, 3s}});
    worker.overlaps = *rc::gen::arbitrary<bool>();
    worker.endpoint = *rc::gen::weightedElement<std::string>({{3, ""}, {1, "shared"}});
    worker.rate_limit = *rc::gen::weightedElement<double>({{4, 0}, {1, 3}, {1, 100}});
  }
  return workers;
}

AnyRun any_run(std::uint64_t seed) {
  const std::vector<WorkerOptions> workers = any_workers();
  return AnyRun(any_policy(workers), any_options(), workers, seed);
}

RC_GTEST_PROP(BalancerProperty, WhateverHappensTheLedgerAddsUpAndEachPublishIsSignalledOnce, (std::uint64_t seed)) {
  AnyRun run = any_run(seed);
  for (const Step& step : *any_steps()) run.take(step);
  run.end();
}

RC_GTEST_PROP(BalancerProperty, SoItIsWithADrainOrACloseAmongIt, (std::uint64_t seed)) {
  AnyRun run = any_run(seed);
  for (const Step& step : *any_steps()) run.take(step);
  run.take({*rc::gen::element(Step::drain, Step::close), *rc::gen::inRange<std::uint32_t>(0, 100)});
  for (const Step& step : *any_steps()) run.take(step);
  run.end();
}

RC_GTEST_PROP(BalancerProperty, OnceFaultsEndEverythingReachesASignal, (std::uint64_t seed)) {
  AnyRun run = any_run(seed);
  for (const Step& step : *any_steps()) run.take(step);
  run.heal();
  run.end();
}

}  // namespace
}  // namespace windlass::core
