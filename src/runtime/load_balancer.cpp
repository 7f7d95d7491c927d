#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <climits>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>

#include <windlass/load_balancer.h>

#include "base/assert.h"
#include "core/balancer.h"
#include "core/earliest_finish.h"
#include "runtime/answer_door.h"
#include "runtime/budget.h"
#include "runtime/channels.h"
#include "runtime/disk_store.h"
#include "runtime/inbox.h"
#include "runtime/loop.h"

namespace windlass {
namespace {

/// Publishers that come more often than this are not waited for one by one: the loop looks in again after a nap, so
/// that they need not wake it. It bounds the wake-ups a second, and the time that an event can lie in the inbox for it.
constexpr std::chrono::microseconds nap_below{1000};
constexpr std::chrono::microseconds nap{50};
/// Events. With less in the inbox it naps even though there is more again: a visit costs both sides more than an event.
constexpr std::size_t worth_a_visit = 2048;

/// Longer than any connect takes, short enough that clients can reckon with it in any unit.
constexpr std::chrono::nanoseconds longest_connect = std::chrono::hours(24);

base::Time clock_now() {
  return base::Time(std::chrono::steady_clock::now().time_since_epoch());
}

core::Options core_options(const LoadBalancer::Options& options) {
  core::Options result;
  result.max_attempts = options.max_retries < 0 ? 0 : std::min(options.max_retries, INT_MAX - 1) + 1;
  result.guaranteed = options.guaranteed;
  result.timeout = options.timeout;
  result.progress_timeout = options.progress_timeout;
  result.dead_letter = static_cast<bool>(options.dead_letter);
  result.max_duplicates = options.max_duplicates;
  // With a queue on disk, what the core is given is bounded by DiskStore.
  result.queue_events = options.disk_queue ? SIZE_MAX / 2 : options.queue_events;
  result.queue_bytes = options.disk_queue ? SIZE_MAX / 2 : options.queue_bytes;
  result.bulk_max_events = std::max(1u, options.bulk_max_events);
  result.bulk_max_bytes = options.bulk_max_bytes;
  return result;
}

/// The constructor's check, and that of add_workers.
void expect_clients(const std::vector<Worker>& workers) {
  for (const Worker& worker : workers)
    if (std::visit([](const auto& client) { return client == nullptr; }, worker.client))
      throw std::invalid_argument("the worker \"" + worker.endpoint + "\" has no client");
}

}  // namespace

/// Drives the core: brings in what came through the two doors, performs what the core wants, sleeps until there is
/// more.
class LoadBalancer::Impl {
 public:
  Impl(const WorkerFactory& workers, Options options);
  ~Impl();

  std::error_code publish_event(std::string_view event, Signal&& signal, PublishOptions options, bool wait);
  std::error_code publish_events(EventBuffer&& events, Signal&& signal, PublishOptions options, bool wait);
  void add_workers(std::vector<Worker> workers);
  void add_workers(const WorkerFactory& workers) { add_workers(workers(*loop_)); }
  void remove_workers(std::string endpoint, std::chrono::nanoseconds within);
  bool drain(std::chrono::nanoseconds deadline);
  void close();
  Statistics statistics();

 private:
  // On the loop's thread.
  void run();
  bool turn();
  void sleep();
  void take_in();
  void tell_connections();
  void perform_all();
  void settle_budget();
  void take_from_disk();
  void settle_stored(core::Settled& settled);
  void finish_store();
  bool has_news() const { return store_ ? store_->has_news() : !inbox_.empty(); }
  void signal_all();
  void close_now();
  Statistics snapshot();

  void take_answer(const runtime::Connected& answer);
  void take_answer(runtime::Lost& answer);
  void take_answer(const runtime::Disconnected& answer) { balancer_->on_disconnected(answer.connection, now_); }
  void take_answer(const runtime::Alive& answer) { balancer_->on_alive(answer.connection, now_); }
  void take_answer(const runtime::Progress& answer) { balancer_->on_progress(answer.attempt, answer.count, now_); }
  void take_answer(const runtime::Finished& answer);
  void tell_refusal(const runtime::Finished& answer);

  void perform(core::Settled& settled);
  void perform(const core::DeadLetter& letter) { options_.dead_letter(letter); }
  void perform(const core::Disconnect& disconnect);
  void perform(const core::Connect& connect);
  void perform(core::Send& send) { channels_->send(send); }
  void perform(const core::Replace& replace) { channels_->replace(replace); }
  void perform(const core::Left& left) { channels_->remove(left.worker); }

  core::WorkerOptions options_of(const Worker& worker) const;

  std::error_code take_budget(std::size_t events, std::size_t bytes, bool wait);
  bool is_at_durable(PublishOptions options) const {
    return store_ && options.signal_at == PublishOptions::SignalAt::durable;
  }
  void wake() { store_ ? store_->wake() : loop_->wake(); }
  void take_back(std::size_t events);
  void refuse_from_now_on();
  void wait_for_end() const;
  Statistics with_refusals(Statistics statistics) const;

  // Constant after construction.
  const Options options_;
  const std::shared_ptr<runtime::Loop> loop_ = std::make_shared<runtime::Loop>();
  std::shared_ptr<runtime::AnswerDoor> door_;

  // Thread-safe by themselves.
  runtime::Budget budget_;
  runtime::Inbox inbox_;
  std::atomic<std::uint64_t> refused_{0};
  std::unique_ptr<runtime::DiskStore> store_;

  // Of the loop's thread.
  std::optional<runtime::Channels> channels_;
  std::optional<core::Balancer> balancer_;
  base::Time now_{};
  base::Time took_at_{};  ///< when something was last found in the inbox
  bool publishers_are_quick_ = false;
  bool took_little_ = false;
  std::size_t held_events_ = 0;  ///< as the budget has it
  std::size_t held_bytes_ = 0;
  std::vector<std::shared_ptr<core::Submission>> submissions_;
  std::vector<runtime::Answer> answers_;
  /// Connections made that are still to be told of: not while answers are taken in, since whoever hears of it may call
  /// close(), which takes in as well.
  std::deque<ConnectionEvent> to_tell_;
  std::deque<Refusal> refusals_to_tell_;
  /// Publishers still to be told. A member, since a signal may call close(), which tells them all before it returns.
  std::deque<core::Settled> to_signal_;
  unsigned signalling_ = 0;  ///< calls of signal_all under way
  // With a queue on disk.
  std::vector<std::shared_ptr<runtime::StoredSubmission>> from_disk_;
  std::vector<core::Settled> signals_from_disk_;
  std::vector<runtime::DiskStore::Run> settled_runs_;
  base::Time drain_deadline_ = base::never;
  bool draining_ = false;
  bool store_finished_ = false;

  // Of the end.
  mutable std::mutex end_mutex_;
  mutable std::condition_variable ended_;
  bool has_ended_ = false;
  Statistics final_;  ///< without the refusals, which go on

  std::thread thread_;
};

LoadBalancer::Impl::Impl(const WorkerFactory& workers, Options options)
    : options_(std::move(options)),
      budget_(options_.disk_queue ? runtime::DiskStore::most_events(options_) : options_.queue_events,
              options_.disk_queue ? runtime::DiskStore::most_bytes(options_) : options_.queue_bytes) {
  std::vector<Worker> made = workers(*loop_);
  if (made.empty() && !options_.may_begin_empty) throw std::system_error(errc::no_workers_configured);
  expect_clients(made);
  door_ = std::make_shared<runtime::AnswerDoor>(loop_, made.size());
  std::vector<core::WorkerOptions> worker_options;
  channels_.emplace(door_);
  for (Worker& worker : made) {
    worker_options.push_back(options_of(worker));
    channels_->add(static_cast<core::WorkerId>(channels_->size()), std::move(worker));
  }
  const std::uint64_t seed = options_.seed != 0 ? options_.seed : std::random_device()();
  std::vector<unsigned> windows;
  for (const core::WorkerOptions& worker : worker_options) windows.push_back(worker.window);
  std::unique_ptr<core::HandOutPolicy> policy;
  if (options_.fixed_windows) {
    policy = core::fixed_windows(std::move(windows));
  } else {
    policy = std::make_unique<core::EarliestFinish>(windows);
  }
  balancer_.emplace(core_options(options_), std::move(worker_options), std::move(policy), seed, clock_now());
  if (options_.disk_queue) {
    store_ = std::make_unique<runtime::DiskStore>(options_, loop_, inbox_, budget_);
    store_->start();
  }
  thread_ = std::thread([this] { run(); });
}

core::WorkerOptions LoadBalancer::Impl::options_of(const Worker& worker) const {
  core::WorkerOptions options;
  options.endpoint = worker.endpoint;
  options.wait_retry = worker.wait_retry;
  options.max_wait_retry = worker.max_wait_retry;
  options.ttl = worker.ttl;
  options.overlaps = static_cast<bool>(worker.another);
  options.priority = worker.priority;
  options.weight = worker.weight;
  options.rate_limit = worker.rate_limit;
  options.window = std::holds_alternative<std::unique_ptr<SyncClient>>(worker.client) ? 1 : options_.pipelining;
  return options;
}

LoadBalancer::Impl::~Impl() {
  close();
  thread_.join();
}

// ---- any thread

std::error_code LoadBalancer::Impl::take_budget(std::size_t events, std::size_t bytes, bool wait) {
  // The loop's own thread would wait for itself.
  const std::error_code refusal =
      events == 0 ? make_error_code(errc::no_events) : budget_.take(events, bytes, wait && !loop_->on_thread());
  if (refusal) refused_.fetch_add(events, std::memory_order_relaxed);
  return refusal;
}

std::error_code LoadBalancer::Impl::publish_event(std::string_view event, Signal&& signal, PublishOptions options,
                                                  bool wait) {
  if (const std::error_code refusal = take_budget(1, event.size(), wait)) return refusal;
  bool was_empty = false;
  if (store_) store_->published(1);
  const std::error_code refusal =
      inbox_.add_event(event, std::move(signal), options.guaranteed, was_empty, is_at_durable(options));
  if (refusal) {
    take_back(1);
    refused_.fetch_add(1, std::memory_order_relaxed);
    budget_.give_back(1, event.size());
  } else if (was_empty) {
    wake();
  }
  return refusal;
}

std::error_code LoadBalancer::Impl::publish_events(EventBuffer&& events, Signal&& signal, PublishOptions options,
                                                   bool wait) {
  const std::size_t count = events.size();
  const std::size_t bytes = events.bytes();
  if (const std::error_code refusal = take_budget(count, bytes, wait)) return refusal;
  bool was_empty = false;
  if (store_) store_->published(count);
  const std::error_code refusal =
      inbox_.add_events(std::move(events), std::move(signal), options.guaranteed, was_empty, is_at_durable(options));
  if (refusal) {
    take_back(count);
    refused_.fetch_add(count, std::memory_order_relaxed);
    budget_.give_back(count, bytes);
  } else if (was_empty) {
    wake();
  }
  return refusal;
}

/// They were not published after all; a drain may have waited for them.
void LoadBalancer::Impl::take_back(std::size_t events) {
  if (!store_) return;
  store_->not_published(events);
  boost::asio::post(loop_->context(), [] {});
}

void LoadBalancer::Impl::refuse_from_now_on() {
  budget_.close();
  inbox_.close();
}

void LoadBalancer::Impl::wait_for_end() const {
  std::unique_lock lock(end_mutex_);
  ended_.wait(lock, [&] { return has_ended_; });
}

void LoadBalancer::Impl::add_workers(std::vector<Worker> workers) {
  expect_clients(workers);
  boost::asio::post(loop_->context(), [this, workers = std::move(workers)]() mutable {
    if (balancer_->closed()) return;
    now_ = clock_now();
    for (Worker& worker : workers) {
      const core::WorkerId id = balancer_->add_worker(options_of(worker), now_);
      channels_->add(id, std::move(worker));
    }
  });
}

void LoadBalancer::Impl::remove_workers(std::string endpoint, std::chrono::nanoseconds within) {
  boost::asio::post(loop_->context(), [this, endpoint = std::move(endpoint), within] {
    now_ = clock_now();
    const base::Time leave_by = base::after(now_, std::max(within, std::chrono::nanoseconds(0)));
    for (core::WorkerId id = 0; id < channels_->size(); ++id)
      if (channels_->is_open(id) && channels_->endpoint(id) == endpoint) balancer_->remove_worker(id, leave_by, now_);
  });
}

bool LoadBalancer::Impl::drain(std::chrono::nanoseconds deadline) {
  WINDLASS_ASSERT(!loop_->on_thread());
  refuse_from_now_on();
  boost::asio::post(loop_->context(), [this, deadline] {
    now_ = clock_now();
    take_in();
    const base::Time until = base::after(now_, std::max(deadline, std::chrono::nanoseconds(0)));
    if (!store_) return balancer_->drain(until, now_);
    draining_ = true;  // the core cannot know what is still on disk
    drain_deadline_ = std::min(drain_deadline_, until);
  });
  wait_for_end();
  return !final_.ledger.dropped.contains(errc::closed) && final_.ledger.queued == 0;
}

void LoadBalancer::Impl::close() {
  refuse_from_now_on();
  if (loop_->on_thread()) return close_now();
  boost::asio::post(loop_->context(), [this] { close_now(); });
  wait_for_end();
}

Statistics LoadBalancer::Impl::statistics() {
  if (loop_->on_thread()) return with_refusals(snapshot());
  {
    const std::lock_guard lock(end_mutex_);
    if (has_ended_) return with_refusals(final_);
  }
  // Shared with the loop, which may end without having come to it.
  const auto answer = std::make_shared<std::promise<Statistics>>();
  std::future<Statistics> future = answer->get_future();
  boost::asio::post(loop_->context(), [this, answer] { answer->set_value(snapshot()); });
  while (future.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    const std::lock_guard lock(end_mutex_);
    if (has_ended_) return with_refusals(final_);
  }
  return with_refusals(future.get());
}

Statistics LoadBalancer::Impl::with_refusals(Statistics statistics) const {
  statistics.ledger.refused += refused_.load(std::memory_order_relaxed);
  return statistics;
}

// ---- the loop's thread

void LoadBalancer::Impl::run() {
  loop_->adopt_thread();
  const auto guard = boost::asio::make_work_guard(loop_->context());
  while (!balancer_->closed()) {
    const bool more = turn();
    if (balancer_->closed()) break;
    if (more && !(publishers_are_quick_ && took_little_)) {
      loop_->context().poll();
    } else if (publishers_are_quick_) {
      publishers_are_quick_ = false;  // unless the inbox fills again meanwhile
      std::this_thread::sleep_for(nap);
      loop_->context().poll();
    } else {
      sleep();
    }
  }
  perform_all();
  const auto deadline = std::chrono::steady_clock::time_point(
      base::after(clock_now(), std::max(options_.close_grace, std::chrono::nanoseconds(0))).time_since_epoch());
  channels_->finish(deadline);
  door_->close();
  loop_->release_thread();
  const std::lock_guard lock(end_mutex_);
  final_ = snapshot();
  has_ended_ = true;
  ended_.notify_all();
}

bool LoadBalancer::Impl::turn() {
  now_ = clock_now();
  take_in();
  if (balancer_->next_timeout() <= now_) balancer_->handle_timeout(now_);
  perform_all();
  settle_budget();
  if (draining_ && (store_->left(balancer_->ledger()) == 0 || drain_deadline_ <= now_)) close_now();
  return !door_->empty() || has_news();
}

void LoadBalancer::Impl::sleep() {
  loop_->about_to_sleep();
  if (!has_news() && door_->empty()) {
    if (!store_) budget_.wake_for_any_room();
    const base::Time until = std::min(balancer_->next_timeout(), drain_deadline_);
    if (until == base::never) {
      loop_->context().run_one();
    } else {
      loop_->context().run_one_until(std::chrono::steady_clock::time_point(until.time_since_epoch()));
    }
  }
  loop_->awake();
  loop_->context().poll();
}

void LoadBalancer::Impl::take_in() {
  if (store_) take_from_disk();
  if (!store_) inbox_.take(submissions_);
  if (!submissions_.empty()) publishers_are_quick_ = now_ - std::exchange(took_at_, now_) < nap_below;
  const std::size_t held_before = held_events_;
  for (auto& submission : submissions_) {
    held_events_ += submission->size();
    held_bytes_ += submission->bytes();
    const std::error_code refusal = balancer_->offer(std::move(submission), now_);
    WINDLASS_ASSERT(!refusal);  // the budget has the core's limits
  }
  submissions_.clear();
  took_little_ = held_events_ - held_before < worth_a_visit;
  door_->take(answers_);
  for (runtime::Answer& answer : answers_) std::visit([this](auto& one) { take_answer(one); }, answer);
}

void LoadBalancer::Impl::take_from_disk() {
  if (!store_->has_news() || balancer_->closed()) return;
  store_->take(from_disk_, signals_from_disk_);
  for (auto& submission : from_disk_) {
    const std::error_code refusal = balancer_->offer(std::move(submission), now_);
    WINDLASS_ASSERT(!refusal);
  }
  from_disk_.clear();
  for (core::Settled& settled : signals_from_disk_) to_signal_.push_back(std::move(settled));
  signals_from_disk_.clear();
}

/// Moves the position, and makes out of the ends of single events what the publisher wants to hear.
void LoadBalancer::Impl::settle_stored(core::Settled& settled) {
  auto& stored = static_cast<runtime::StoredSubmission&>(*settled.submission);
  if (settled.reason != errc::closed) settled_runs_.emplace_back(stored.first_number + settled.first, settled.count);
  stored.unsettled -= settled.count;
  store_->released(settled.count, stored.unsettled == 0 ? stored.bytes() : 0);
  if (stored.wanted == core::Signalling::none) return;
  if (stored.wanted == core::Signalling::each) {
    budget_.give_back(settled.count, 0);
    to_signal_.push_back(std::move(settled));
  } else if (stored.unsettled == 0) {
    budget_.give_back(1, 0);
    stored.signalling = core::Signalling::all;  // the core is done with it
    to_signal_.push_back({settled.submission, 0, static_cast<std::uint32_t>(stored.size()), stored.failure});
  }
}

/// The last of it is stored, and whoever still waits for a signal hears that it is closed.
void LoadBalancer::Impl::finish_store() {
  if (std::exchange(store_finished_, true)) return;
  store_->settled(settled_runs_);
  store_->stop();
  store_->take(from_disk_, signals_from_disk_);
  for (const auto& stored : from_disk_) {
    if (stored->wanted == core::Signalling::none) continue;
    stored->signalling = stored->wanted;
    stored->failed = static_cast<std::uint32_t>(stored->size());
    to_signal_.push_back({stored, 0, stored->failed, errc::closed});
  }
  from_disk_.clear();
  for (core::Settled& settled : signals_from_disk_) to_signal_.push_back(std::move(settled));
  signals_from_disk_.clear();
}

void LoadBalancer::Impl::tell_connections() {
  while (!to_tell_.empty()) {
    const ConnectionEvent event = std::move(to_tell_.front());
    to_tell_.pop_front();
    options_.on_connection(event);
  }
  while (!refusals_to_tell_.empty()) {
    const Refusal refusal = std::move(refusals_to_tell_.front());
    refusals_to_tell_.pop_front();
    options_.on_refusal(refusal);
  }
}

void LoadBalancer::Impl::perform_all() {
  tell_connections();
  if (!to_signal_.empty()) signal_all();
  while (std::optional<core::Action> action = balancer_->poll(now_))
    std::visit([this](auto& one) { perform(one); }, *action);
  if (store_) store_->settled(settled_runs_);
}

void LoadBalancer::Impl::settle_budget() {
  if (store_) return;  // it has its own way
  const std::size_t events = held_events_ - balancer_->held_events();
  const std::size_t bytes = held_bytes_ - balancer_->held_bytes();
  if (events == 0 && bytes == 0) return;
  held_events_ -= events;
  held_bytes_ -= bytes;
  budget_.give_back(events, bytes);
}

void LoadBalancer::Impl::close_now() {
  now_ = clock_now();
  take_in();
  balancer_->close(now_);
  perform_all();
  if (store_) finish_store();
  signal_all();
}

Statistics LoadBalancer::Impl::snapshot() {
  now_ = clock_now();
  take_in();  // what was accepted before it was asked for counts
  Statistics statistics = balancer_->statistics(now_);
  if (store_) store_->complete(statistics);
  return statistics;
}

void LoadBalancer::Impl::take_answer(const runtime::Connected& answer) {
  balancer_->on_connected(answer.connection, now_);
  if (options_.on_connection && channels_->is_wanted(answer.connection))
    to_tell_.push_back({channels_->endpoint(answer.connection.worker), true, {}, {}});
}

void LoadBalancer::Impl::take_answer(runtime::Lost& answer) {
  channels_->note_end(answer.connection, std::move(answer.detail));
  balancer_->on_lost(answer.connection, answer.error, now_);
}

void LoadBalancer::Impl::take_answer(const runtime::Finished& answer) {
  if (options_.on_refusal) tell_refusal(answer);
  balancer_->on_result(answer.attempt, answer.result, now_);
}

void LoadBalancer::Impl::tell_refusal(const runtime::Finished& answer) {
  const auto& [rest_from, rest, error, detail, retry_after] = answer.result;
  const auto said = std::ranges::find_if(rest, [](const auto& event) { return !event.detail.empty(); });
  if (said == rest.end() && detail.empty()) return;
  const auto worker = balancer_->worker_of(answer.attempt);
  if (!worker) return;
  const auto events =
      static_cast<std::size_t>(std::ranges::count_if(rest, [](const auto& event) { return !event.detail.empty(); }));
  const std::string& endpoint = channels_->endpoint(*worker);
  refusals_to_tell_.push_back(said == rest.end() ? Refusal{endpoint, 0, error, detail}
                                                 : Refusal{endpoint, events, said->why, said->detail});
}

void LoadBalancer::Impl::perform(core::Settled& settled) {
  settle_budget();  // whoever hears that an event is done may use its room
  if (store_) {
    settle_stored(settled);
  } else {
    to_signal_.push_back(std::move(settled));
  }
  signal_all();
}

void LoadBalancer::Impl::signal_all() {
  ++signalling_;
  for (std::size_t i = 0; i < to_signal_.size(); ++i) {
    core::Settled& settled = to_signal_[i];
    core::Submission& submission = *settled.submission;
    // Counted down before the call: a signal that calls close() comes back to here, and goes on with what is left.
    while (settled.count > 0) {
      if (submission.signalling == core::Signalling::all) {
        settled.count = 0;
        submission.signals[0]({settled.reason, submission.acked, submission.failed, submission.dead_lettered});
      } else {
        --settled.count;
        Outcome outcome{settled.reason, settled.reason ? 0u : 1u, settled.reason ? 1u : 0u};
        const bool lettered = settled.reason == errc::rejected || settled.reason == errc::undeliverable;
        if (lettered && options_.dead_letter) outcome.dead_lettered = 1;
        submission.signals[settled.first++](outcome);
      }
    }
  }
  if (--signalling_ == 0) to_signal_.clear();
}

void LoadBalancer::Impl::perform(const core::Disconnect& disconnect) {
  const core::WorkerId worker = disconnect.connection.worker;
  if (channels_->disconnect(disconnect.connection)) balancer_->on_disconnected(disconnect.connection, now_);
  std::string detail = channels_->end_of(worker);
  if (!disconnect.reason || !options_.on_connection) return;
  if (detail.empty()) detail = disconnect.reason.message();
  options_.on_connection({channels_->endpoint(worker), false, disconnect.reason, std::move(detail)});
}

void LoadBalancer::Impl::perform(const core::Connect& connect) {
  channels_->connect(connect.connection,
                     std::chrono::ceil<std::chrono::milliseconds>(std::min(options_.timeout, longest_connect)));
}

// ---- LoadBalancer

LoadBalancer::LoadBalancer(WorkerFactory workers, Options options)
    : impl_(std::make_unique<Impl>(workers, std::move(options))) {}
LoadBalancer::~LoadBalancer() = default;

std::error_code LoadBalancer::publish_event(std::string_view event, Signal signal, PublishOptions options) {
  return impl_->publish_event(event, std::move(signal), options, true);
}
std::error_code LoadBalancer::try_publish_event(std::string_view event, Signal signal, PublishOptions options) {
  return impl_->publish_event(event, std::move(signal), options, false);
}
std::error_code LoadBalancer::publish_events(EventBuffer&& events, Signal signal, PublishOptions options) {
  return impl_->publish_events(std::move(events), std::move(signal), options, true);
}
std::error_code LoadBalancer::try_publish_events(EventBuffer&& events, Signal signal, PublishOptions options) {
  return impl_->publish_events(std::move(events), std::move(signal), options, false);
}
void LoadBalancer::add_workers(std::vector<Worker> workers) {
  impl_->add_workers(std::move(workers));
}
void LoadBalancer::add_workers(const WorkerFactory& workers) {
  impl_->add_workers(workers);
}
void LoadBalancer::remove_workers(std::string endpoint, std::chrono::nanoseconds within) {
  impl_->remove_workers(std::move(endpoint), within);
}
bool LoadBalancer::drain(std::chrono::nanoseconds deadline) {
  return impl_->drain(deadline);
}
void LoadBalancer::close() {
  impl_->close();
}
Statistics LoadBalancer::statistics() const {
  return impl_->statistics();
}

}  // namespace windlass
