// The balancer: a state machine without I/O, clock or threads.
//
// Four kinds of calls, and no others:
//   commands   offer, drain, close, add_worker, remove_worker             what the owner's side wants
//   inputs     on_connected ... on_result, handle_timeout                 what happened
//   outputs    poll, next_timeout                                         what is to be done, and when to come back
//   getters    statistics, held_events, ...
//
// `now` is an argument everywhere and never goes backwards. After any command or input, poll() until it answers
// nothing; at next_timeout(), call handle_timeout() and poll again. poll() gives, in this order: settled events and
// dead letters as they came about, disconnects, connects, and then, one by one, sends, each cut from the queue at the
// moment of the call. So the driver may make room, or stop, between sends. Replace comes before the Connect of the
// successor, and Left after the last word about a worker.
//
// Delivery is at least once: an event is settled as acknowledged only after an endpoint acknowledged it, and is sent
// again whenever that is not certain. docs/delivery.md has the rules.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <windlass/result.h>
#include <windlass/statistics.h>

#include "base/random.h"
#include "base/time.h"
#include "core/action.h"
#include "core/attempts.h"
#include "core/departed.h"
#include "core/endpoints.h"
#include "core/hand_out_policy.h"
#include "core/hedge_budget.h"
#include "core/options.h"
#include "core/rate_limits.h"
#include "core/shares.h"
#include "core/submission.h"
#include "core/suspicion.h"
#include "core/work_queue.h"
#include "core/worker.h"

namespace windlass::core {

class Balancer {
 public:
  /// Without a policy, each worker's window is fixed at its bound. Without workers, work waits until some join.
  Balancer(Options options, std::vector<WorkerOptions> workers, std::unique_ptr<HandOutPolicy> policy,
           std::uint64_t seed, base::Time now);
  Balancer(Options options, std::vector<WorkerOptions> workers, std::uint64_t seed, base::Time now);
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  // Commands.

  /// Accepts the events or refuses them at once (errc::closed, queue_full, too_large, no_events).
  std::error_code offer(std::shared_ptr<Submission> submission, base::Time now);
  /// Refuses offers from now on, and closes when everything is settled, or at `deadline`.
  void drain(base::Time deadline, base::Time now);
  /// Settles everything with errc::closed and disconnects every worker. Later inputs change nothing.
  void close(base::Time now);
  /// A worker joins. Its id is new, or that of one of which Left was said.
  WorkerId add_worker(WorkerOptions options, base::Time now);
  /// It draws no more, finishes what it has in flight, at the latest by `leave_by`, disconnects, and is Left. What it
  /// has not finished by then is sent elsewhere, and has spent no attempt. A successor, and the worker that it was to
  /// succeed, leave with each other. The last one may leave too: then work waits.
  void remove_worker(WorkerId worker, base::Time leave_by, base::Time now);

  // Inputs. Those about connections and attempts that are over change nothing.

  void on_connected(ConnectionId connection, base::Time now);
  /// The connection could not be made, or has ended.
  void on_lost(ConnectionId connection, std::error_code error, base::Time now);
  /// The answer to Disconnect.
  void on_disconnected(ConnectionId connection, base::Time now);
  /// The peer gave a sign of life.
  void on_alive(ConnectionId connection, base::Time now);
  /// The first `count` events of the batch are acknowledged so far.
  void on_progress(AttemptId attempt, std::uint32_t count, base::Time now);
  /// The outcome of the batch, event by event.
  void on_result(AttemptId attempt, const PublishResult& result, base::Time now);
  /// Does what is due.
  void handle_timeout(base::Time now);

  // Outputs.

  std::optional<Action> poll(base::Time now);
  /// When handle_timeout has something to do; base::never when only an input can change anything.
  base::Time next_timeout() const;

  // Getters.

  Statistics statistics(base::Time now) const;
  const Ledger& ledger() const { return ledger_; }
  /// What counts against the budgets: events that are not settled, bytes of submissions that are not settled in full.
  std::size_t held_events() const { return held_events_; }
  std::size_t held_bytes() const { return held_bytes_; }
  bool closed() const { return closed_; }
  /// Who has this attempt in flight; nobody when it is over.
  std::optional<WorkerId> worker_of(AttemptId attempt) const;

 private:
  struct SortedOut;
  /// Whom the failure of a batch may be laid to.
  enum class Fault {
    nobody,             ///< it costs no attempt
    endpoint,           ///< it costs an attempt
    batch_or_endpoint,  ///< it costs an attempt, and raises suspicion
    events              ///< they were left over: the endpoint took the others, and is fine
  };

  /// Who must get work that failed, rather than who failed it last.
  enum class Elsewhere { anybody, another_worker, another_endpoint };

  struct Failure {
    std::error_code error;
    std::string detail;  ///< what was said of it
  };
  struct BatchFailure : Failure {
    std::vector<Failure> of_each = {};  ///< of its events, where the endpoint said so of each of them
  };

  // Handing out.
  std::optional<Action> hand_out(base::Time now);
  bool may_go_to(WorkerId id, const Work& work, Elsewhere elsewhere) const;
  Elsewhere elsewhere(const Work& work, base::Time now) const;
  WorkerId by_weight(WorkerId chosen, const std::vector<WorkerId>& candidates, const HandOutPolicy::Head& head,
                     bool is_new, base::Time now);
  std::optional<Action> hedge(base::Time now);
  Send send(Work work, WorkerId worker, base::Time now);
  Send send_copy(Attempt& first, WorkerId worker, base::Time now);
  Send start(Work work, WorkerId worker, base::Time now);
  void find_candidates(base::Time now);
  unsigned window(WorkerId worker) const;
  bool has_room(WorkerId worker) const;
  void update_connections(base::Time now);

  // Joining and leaving.
  WorkerId join(WorkerOptions options, EndpointId endpoint);
  void replace(WorkerId id);
  void call_off_successor(WorkerId id);
  void retire(WorkerId id, base::Time leave_by);
  void left(WorkerId id);
  void take_back(WorkerId id, base::Time now);

  // Taking back.
  Worker* current(ConnectionId connection);
  bool at_fault(WorkerId id) const;
  void got_somewhere(Worker& worker, AttemptId attempt, base::Time now);
  Attempt end_attempt(Attempt& attempt, base::Time now);
  SortedOut sort_out(const Attempt& attempt, const PublishResult& result);
  void give_back(Attempt attempt, Batch rest, bool progressed, Fault fault, BatchFailure failure, base::Time now);
  void note_failure(Work& work, WorkerId worker, bool progressed, Fault fault, bool named, base::Time now);
  void renew(Work& work);
  void wait_again(Work work);
  void return_unblamed(Attempt attempt, Batch rest, base::Time now);
  void rest(WorkerId id, const PublishResult& result, bool blamed, base::Time now);
  void connection_failed(WorkerId id, std::error_code error, bool blamed, bool suspects_oldest, base::Time now);

  // Settling.
  std::uint32_t acknowledge(const Attempt& attempt, std::uint32_t from, std::uint32_t end);
  void give_up(DeadLetter letter);
  void drop(const Batch& events, errc reason);
  void settle(const Batch& events, std::error_code reason);

  Options options_;
  base::Random random_;
  Endpoints endpoints_;
  std::vector<Worker> workers_;
  std::vector<WorkerId> free_;  ///< of workers that have left
  Departed departed_;
  Attempts attempts_;
  WorkQueue queue_;
  std::unique_ptr<HandOutPolicy> policy_;
  HedgeBudget hedge_budget_;
  Shares shares_;
  RateLimits limits_;
  std::deque<Action> outputs_;
  Ledger ledger_;
  std::size_t held_events_ = 0;
  std::size_t held_bytes_ = 0;
  base::Time drain_deadline_ = base::never;
  base::Time held_until_ = base::never;  ///< the policy lets work wait for a busy worker
  base::Time hedge_at_ = base::never;    ///< a batch in flight becomes overdue
  bool accepting_ = true;
  bool draining_ = false;
  bool closed_ = false;
  /// Something changed that may make a connection wanted or unwanted.
  bool connections_stale_ = true;
  base::Time now_;  ///< the last time heard of
  // Scratch space of hand_out.
  std::vector<WorkerId> participants_;        ///< the workers that may draw
  std::vector<WorkerId> candidates_;          ///< those of them that have room
  std::vector<WorkerId> other_participants_;  ///< both without those that the batch is to avoid
  std::vector<WorkerId> other_candidates_;
  std::vector<WorkerId> as_good_;  ///< as the one that was chosen
};

}  // namespace windlass::core
