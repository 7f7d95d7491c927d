#include "app/endpoint_trial.h"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <system_error>

#include "app/name_watch.h"
#include "app/units.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace windlass::app {
namespace {

using Clock = std::chrono::steady_clock;
using Result = ProbeStep::Result;

/// One host as it is configured: its service's step, where it is one, and the endpoints that it stands for.
struct Tried {
  std::optional<Trial> service;
  std::vector<std::unique_ptr<Probe>> probes;
  net::Resolver::Lookup lookup;
};

std::string told(const Host& target) {
  return fmt::format("{}: priority {}, weight {}{}", net::to_string(target.address), target.priority, target.weight,
                     target.server_name.empty() ? "" : ", with a certificate for " + target.server_name);
}

Trial found(const Host& service, std::error_code error, const net::NameAnswer& answer, const std::vector<Host>& targets,
            Clock::time_point began) {
  ProbeStep step{"SRV", Result::passed, {}, {}};
  step.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
  if (error) {
    step.result = Result::failed;
    step.text = error.message();
    step.hint = "look at the name in hosts, at /etc/resolv.conf, and at what `dig SRV` says";
  } else {
    step.text = fmt::format("{} targets", targets.size());
    if (answer.time_to_live) step.text += fmt::format(", for {}", format_duration(*answer.time_to_live));
    for (const Host& target : targets) step.details.push_back(told(target));
  }
  return {service.address.host, {std::move(step)}, !error, true};
}

}  // namespace

std::vector<Trial> try_endpoints(const OutputConfig& output, bool send_event) {
  std::optional<net::TlsContext> tls;
  if (output.tls) tls = net::TlsContext::client(*output.tls);
  boost::asio::io_context context;
  net::Resolver resolver(context);
  std::vector<Tried> all(output.hosts.size());
  for (std::size_t index = 0; index < all.size(); ++index) {
    const Host& host = output.hosts[index];
    Tried& tried = all[index];
    const auto start = [&](const Host& endpoint) {
      tried.probes.push_back(std::make_unique<Probe>(context, resolver, endpoint, output, tls, send_event));
      tried.probes.back()->start();
    };
    if (!is_service(host)) {
      start(host);
      continue;
    }
    const auto take = [&host, &tried, start, has_tls = output.tls.has_value(), began = Clock::now()](
                          std::error_code error, const net::NameAnswer& answer) {
      const std::vector<Host> targets = NameWatch::targets_of(host, answer.targets, has_tls);
      tried.service = found(host, error, answer, targets, began);
      for (const Host& target : targets) start(target);
    };
    tried.lookup = resolver.ask({net::NameQuestion::About::services, host.address.host}, take);
  }
  context.run();

  std::vector<Trial> trials;
  for (Tried& tried : all) {
    if (tried.service) trials.push_back(std::move(*tried.service));
    for (const auto& probe : tried.probes) trials.push_back({probe->endpoint(), probe->steps(), probe->passed()});
  }
  return trials;
}

}  // namespace windlass::app
