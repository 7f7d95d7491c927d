// The program: finds out what is wanted, and has it done.
#include <csignal>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <variant>

#include "app/command_line.h"
#include "app/exit_code.h"
#include "app/log.h"
#include "app/queue_command.h"
#include "app/relay.h"
#include "app/ship.h"
#include "app/sink.h"
#include "app/test_command.h"
#include "app/version.h"

namespace windlass::app {
namespace {

struct Run {
  int operator()(const ShipOptions& options) const { return run_ship(options); }
  int operator()(const RelayOptions& options) const { return run_relay(options); }
  int operator()(const SinkOptions& options) const { return run_sink(options); }
  int operator()(const TestOptions& options) const { return run_test(options); }
  int operator()(const QueueOptions& options) const { return run_queue(options); }
  int operator()(const VersionOptions&) const { return run_version(); }
  int operator()(const Exit& exit) const {
    std::fputs(exit.text.c_str(), exit.code == exit_all_acked ? stdout : stderr);
    return exit.code;
  }
};

int run(int argc, char** argv) {
  // A reader of our output that goes away is an error of that write, not the end of us.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow any more
  try {
    set_up_log();
    return std::visit(Run(), parse_command_line(argc, argv));
  } catch (const std::exception& error) {
    // Whatever comes up to here is something that could not be begun with what we were told.
    fmt::print(stderr, "windlass: {}\n", error.what());
    return exit_usage;
  }
}

}  // namespace
}  // namespace windlass::app

int main(int argc, char** argv) {
  return windlass::app::run(argc, argv);
}
