// The smallest program that ships events: one line of standard input is one event.
#include <iostream>
#include <string>

#include <windlass/windlass.h>

int main(int argc, char** argv) {
  windlass::LumberjackOptions endpoints;
  endpoints.hosts = {argv + 1, argv + argc};
  windlass::LoadBalancer balancer(windlass::lumberjack_workers(endpoints));

  const auto signal = [](const windlass::Outcome& outcome) {
    if (outcome.reason) std::cerr << "not delivered: " << outcome.reason.message() << '\n';
  };
  for (std::string line; std::getline(std::cin, line);)
    if (const auto refused = balancer.publish_event(line, signal)) std::cerr << refused.message() << '\n';

  const bool all = balancer.drain(std::chrono::seconds(30));
  std::cout << balancer.statistics().ledger.acked << " events acknowledged\n";
  return all ? 0 : 1;
}
