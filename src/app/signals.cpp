#include "app/signals.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace windlass::app {
namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_descriptor_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signal_descriptor_ < 0 || wake_descriptor_ < 0)
    throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::~Signals() {
  close(signal_descriptor_);
  close(wake_descriptor_);
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool Signals::wait(std::chrono::milliseconds time) {
  pollfd descriptors[] = {{signal_descriptor_, POLLIN, 0}, {wake_descriptor_, POLLIN, 0}};
  if (poll(descriptors, 2, static_cast<int>(time.count())) <= 0) return false;
  eventfd_t count;
  eventfd_read(wake_descriptor_, &count);
  signalfd_siginfo info;
  return read(signal_descriptor_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

void Signals::wake() {
  eventfd_write(wake_descriptor_, 1);
}

}  // namespace windlass::app
