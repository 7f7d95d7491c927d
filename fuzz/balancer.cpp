// The balancer's operations in any order: the rules that hold whatever happens, and an end to everything once the world
// is well.
//
// Input: options and workers (a byte each), then steps: what, and a number of two bytes.
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/any_run.h"
#include "core/earliest_finish.h"
#include "input.h"

namespace {

using namespace windlass::core;
using windlass::fuzz::Input;

Options options_from(Input& input) {
  Options options;
  options.max_attempts = input.byte() % 5;
  options.guaranteed = input.byte() % 6 == 0;
  options.dead_letter = input.byte() % 2 == 0;
  options.queue_events = 5u + input.byte() % 100;
  options.queue_bytes = 50u + 4u * input.byte();
  options.bulk_max_events = 1u + input.byte() % 15;
  options.bulk_max_bytes = 1u + input.byte() % 60;
  return options;
}

std::vector<WorkerOptions> workers_from(Input& input) {
  std::vector<WorkerOptions> workers(1u + input.byte() % 4);
  for (WorkerOptions& worker : workers) {
    const unsigned choice = input.byte();
    worker.window = 1 + choice % 4;
    worker.priority = choice / 4 % 8 < 6 ? 0 : choice / 4 % 8 - 5;
    worker.ttl = choice / 32 % 4 == 0 ? 3s : 0s;
    worker.overlaps = choice / 128 == 0;
  }
  return workers;
}

std::unique_ptr<HandOutPolicy> policy_from(Input& input, const std::vector<WorkerOptions>& workers) {
  std::vector<unsigned> bounds;
  for (const WorkerOptions& worker : workers) bounds.push_back(worker.window);
  if (input.byte() % 2 == 0) return fixed_windows(std::move(bounds));
  return std::make_unique<EarliestFinish>(bounds);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int most_steps = 2000;
  Input input(data, size);
  const Options options = options_from(input);
  const std::vector<WorkerOptions> workers = workers_from(input);
  try {
    AnyRun run(policy_from(input, workers), options, workers, input.byte());
    for (int steps = 0; steps < most_steps && !input.rest().empty(); ++steps) {
      const auto kind = static_cast<Step::Kind>(input.byte() % (Step::close + 1));
      const auto number = static_cast<std::uint32_t>(input.byte() << 8 | input.byte());
      run.take({kind, number});
    }
    run.heal();
    run.end();
  } catch (const std::logic_error& broken) {
    windlass::fuzz::require(false, broken.what());
  }
  return 0;
}
