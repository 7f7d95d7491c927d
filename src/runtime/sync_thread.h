// A synchronous client and the thread that it blocks.
#pragma once

#include <chrono>
#include <memory>
#include <thread>

#include <windlass/batch.h>
#include <windlass/client.h>

#include "core/action.h"
#include "runtime/answer_door.h"

namespace windlass::runtime {

/// Calls a SyncClient from a thread of its own and posts its answers. Used from the loop's thread. Its thread and what
/// it needs outlive this object where the client does not return from a call.
class SyncThread {
 public:
  SyncThread(std::unique_ptr<SyncClient> client, std::shared_ptr<AnswerDoor> door);
  /// Like stop() and finish(0).
  ~SyncThread();
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  void connect(core::ConnectionId connection, std::chrono::milliseconds timeout);
  void publish(core::AttemptId attempt, Batch batch);
  /// Interrupts the call that is under way and closes the client; Disconnected follows when that is done.
  void close(core::ConnectionId connection);

  /// No more calls but a last close(); interrupts the one that is under way.
  void stop();
  /// Waits for the thread's end, but not beyond `deadline`: a client that is stuck is left behind with its thread.
  void finish(std::chrono::steady_clock::time_point deadline);
  /// It makes no call any more, and will not.
  bool has_ended() const;

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);
  void interrupt_if_busy();

  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace windlass::runtime
