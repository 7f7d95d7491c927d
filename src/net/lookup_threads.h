// The inside of LookupThreads and Resolver.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

#include "net/resolver.h"

namespace windlass::net {

using SharedAnswer = std::shared_ptr<const NameAnswer>;

/// One caller's interest in a name. Belongs to the loop's thread but for `question` and `mailbox`, which never change.
struct Resolver::Lookup::Request {
  const NameQuestion question;
  const std::shared_ptr<Mailbox> mailbox;
  const std::shared_ptr<LookupThreads::Impl> threads;  // null: a literal
  AnswerCallback callback;                             // empty: answered or abandoned
};

/// Where answers are put for the loop: the one thing that a lookup's thread and the loop's thread share. It stops
/// forwarding when the resolver goes, so a thread that comes back late finds nobody, instead of a dead io_context.
class Resolver::Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& context) : context_(&context) {}

  /// From any thread: has the loop answer the request.
  void post(std::shared_ptr<Lookup::Request> request, std::error_code error, SharedAnswer found);

  // From the loop's thread. While requests are open, the io_context has work.
  void opened();
  void finished() noexcept;
  void close() noexcept;

 private:
  static void answer(Lookup::Request& request, std::error_code error, const NameAnswer& found);

  std::mutex mutex_;
  boost::asio::io_context* context_;  // guarded by mutex_; null: closed
  std::size_t open_requests_ = 0;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
};

class LookupThreads::Impl : public std::enable_shared_from_this<Impl> {
 public:
  using Request = Resolver::Lookup::Request;

  Impl(NameLookup look_up, Limits limits) : look_up_(std::move(look_up)), limits_(limits) {}

  /// False when there are too many lookups already, or the system gives no thread.
  bool add(const std::shared_ptr<Request>& request);
  void forget(const std::shared_ptr<Request>& request) noexcept;

 private:
  struct Job {
    NameQuestion question;
    std::vector<std::shared_ptr<Request>> requests;
    bool running = false;
  };

  bool start_thread();
  void run();

  const NameLookup look_up_;
  const Limits limits_;
  std::mutex mutex_;
  std::map<NameQuestion, std::shared_ptr<Job>> jobs_;  // waiting and running
  std::deque<std::shared_ptr<Job>> waiting_;
  std::size_t threads_ = 0;
  std::size_t requests_ = 0;
};

}  // namespace windlass::net
