#include "net/lookup_threads.h"

#include <algorithm>
#include <netdb.h>
#include <new>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <utility>

#include "net/system_names.h"

namespace windlass::net {
namespace {

class LookupCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "windlass.lookup"; }
  std::string message(int code) const override { return gai_strerror(code); }
};

}  // namespace

const std::error_category& lookup_category() noexcept {
  static const LookupCategory category;
  return category;
}

LookupThreads::LookupThreads(NameLookup look_up, Limits limits)
    : impl_(std::make_shared<Impl>(std::move(look_up), limits)) {}

LookupThreads::~LookupThreads() = default;

LookupThreads& LookupThreads::of_process() {
  // Never destroyed: threads may still be in it when the process ends.
  static LookupThreads& threads = *new LookupThreads(ask_system);
  return threads;
}

bool LookupThreads::Impl::add(const std::shared_ptr<Request>& request) {
  const std::lock_guard lock(mutex_);
  if (requests_ >= limits_.max_lookups) return false;
  auto& job = jobs_[request->question];
  if (!job) {
    job = std::make_shared<Job>(Job{request->question, {}});
    waiting_.push_back(job);
    if (threads_ < limits_.max_threads && !start_thread() && threads_ == 0) {
      waiting_.pop_back();
      jobs_.erase(request->question);
      return false;
    }
  }
  job->requests.push_back(request);
  ++requests_;
  return true;
}

void LookupThreads::Impl::forget(const std::shared_ptr<Request>& request) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(request->question);
  if (found == jobs_.end()) return;
  const std::shared_ptr<Job> job = found->second;
  if (std::erase(job->requests, request) == 0) return;
  --requests_;
  // A lookup that runs cannot be stopped; it stays known, so that the next request for its name joins it.
  if (job->running || !job->requests.empty()) return;
  std::erase(waiting_, job);
  jobs_.erase(found);
}

bool LookupThreads::Impl::start_thread() {
  // The program's signals are not for these threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    std::thread([self = shared_from_this()] { self->run(); }).detach();
    ++threads_;
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void LookupThreads::Impl::run() {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    const std::shared_ptr<Job> job = waiting_.front();
    waiting_.pop_front();
    job->running = true;
    lock.unlock();

    NameAnswer found;
    std::error_code error;
    try {
      error = look_up_(job->question, found);
    } catch (const std::bad_alloc&) {
      error = std::make_error_code(std::errc::not_enough_memory);
    }
    const bool about_hosts = job->question.about != NameQuestion::About::services;
    if (!error && about_hosts && found.addresses.empty()) error = std::error_code(EAI_NONAME, lookup_category());
    if (found.addresses.size() > Resolver::max_addresses) found.addresses.resize(Resolver::max_addresses);
    const auto shared = std::make_shared<const NameAnswer>(std::move(found));

    lock.lock();
    jobs_.erase(job->question);
    const auto requests = std::exchange(job->requests, {});
    requests_ -= requests.size();
    lock.unlock();
    for (const auto& request : requests) request->mailbox->post(request, error, shared);
    lock.lock();
  }
  --threads_;
}

}  // namespace windlass::net
