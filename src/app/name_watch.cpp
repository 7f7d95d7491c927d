#include "app/name_watch.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <set>
#include <utility>

#include "net/dns_answer.h"

namespace windlass::app {
namespace {

using About = net::NameQuestion::About;

constexpr unsigned last_priority = 0xffff;

/// Name servers turn the order of addresses around.
bool stand_for_the_same(const net::NameAnswer& a, const net::NameAnswer& b) {
  return a.targets == b.targets &&
         std::is_permutation(a.addresses.begin(), a.addresses.end(), b.addresses.begin(), b.addresses.end());
}

}  // namespace

NameWatch::NameWatch(boost::asio::io_context& context, net::Resolver& resolver, Options options,
                     std::function<void()> on_change, std::function<void(bool, const std::string&)> tell)
    : context_(context),
      resolver_(resolver),
      options_(options),
      on_change_(std::move(on_change)),
      tell_(std::move(tell)) {}

void NameWatch::watch(std::vector<Host> hosts) {
  hosts_ = std::move(hosts);
  refresh();
}

std::vector<Host> NameWatch::targets_of(const Host& service, const std::vector<net::ServiceTarget>& targets, bool tls) {
  const std::string domain = net::service_domain(service.address.host);
  std::vector<Host> hosts;
  for (const net::ServiceTarget& target : targets) {
    Host& host = hosts.emplace_back(service);
    host.address = target.at;
    host.priority = std::min(service.priority + target.priority, last_priority);
    // By the rule of RFC 2782 one of weight 0, among others of weight w, is chosen once in w + 1 times.
    host.weight = service.weight * std::max<unsigned>(target.weight, 1);
    if (tls && !net::is_in_domain(target.at.host, domain)) host.server_name = domain;
  }
  return hosts;
}

std::vector<Host> NameWatch::endpoints() {
  std::vector<Host> hosts;
  for (const Host& host : with_targets()) {
    const auto question = question_of(host);
    if (!question) {
      hosts.push_back(host);
      continue;
    }
    const auto known = names_.find(*question);
    if (known == names_.end()) continue;
    for (net::SocketAddress address : known->second.known.addresses) {
      address.set_port(host.address.port);
      Host& endpoint = hosts.emplace_back(host);
      endpoint.address = net::parse_host_port(net::to_string(address), host.address.port);
      if (endpoint.server_name.empty()) endpoint.server_name = host.address.host;
    }
  }
  const bool too_many = hosts.size() > OutputConfig::max_hosts;
  if (too_many && !told_limit_)
    tell_(true, fmt::format("of {} endpoints {} are used, which is the limit", hosts.size(), OutputConfig::max_hosts));
  told_limit_ = too_many;
  if (too_many) hosts.resize(OutputConfig::max_hosts);
  return hosts;
}

/// Services give way to their targets.
std::vector<Host> NameWatch::with_targets() const {
  std::vector<Host> hosts;
  for (const Host& host : hosts_) {
    if (!is_service(host)) {
      hosts.push_back(host);
      continue;
    }
    const auto known = names_.find(*question_of(host));
    if (known == names_.end()) continue;
    std::vector<Host> targets = targets_of(host, known->second.known.targets, options_.tls);
    std::move(targets.begin(), targets.end(), std::back_inserter(hosts));
  }
  return hosts;
}

std::optional<net::NameQuestion> NameWatch::question_of(const Host& host) const {
  if (is_service(host)) return net::NameQuestion{About::services, host.address.host};
  if (!options_.each_address || net::SocketAddress::from_literal(host.address.host, 0)) return std::nullopt;
  const bool by_time = options_.interval == base::Duration(0);
  return net::NameQuestion{by_time ? About::addresses_and_time : About::addresses, host.address.host};
}

void NameWatch::refresh() {
  std::set<net::NameQuestion> wanted;
  for (const auto& hosts : {hosts_, with_targets()})
    for (const Host& host : hosts)
      if (auto question = question_of(host)) wanted.insert(std::move(*question));
  std::erase_if(names_, [&](const auto& name) { return !wanted.contains(name.first); });
  for (const net::NameQuestion& question : wanted)
    if (names_.try_emplace(question, context_).second) look_up(question);
}

void NameWatch::look_up(const net::NameQuestion& question) {
  names_.at(question).lookup = resolver_.ask(
      question,
      [this, question](std::error_code error, const net::NameAnswer& answer) { found(question, error, answer); });
}

void NameWatch::found(const net::NameQuestion& question, std::error_code error, const net::NameAnswer& answer) {
  Name& name = names_.at(question);
  const bool is_news = error != std::exchange(name.error, error);
  const net::NameAnswer before = name.known;
  if (!error) name.known = answer;
  if (error && is_news) failed(question, name, error);
  name.timer.expires_after(wait_after(name));
  name.timer.async_wait([this, question](boost::system::error_code cancelled) {
    // A timer that was over when its name was forgotten is not cancelled any more.
    if (!cancelled && names_.contains(question)) look_up(question);
  });
  if (stand_for_the_same(before, name.known)) return;
  if (question.about == About::services) refresh();
  on_change_();
}

void NameWatch::failed(const net::NameQuestion& question, Name& name, std::error_code error) {
  const bool had_any = !name.known.addresses.empty() || !name.known.targets.empty();
  const bool is_not_offered = error == net::DnsError::not_offered;
  // Else what was found before is the best guess: who does not answer there any more is left alone by the balancer.
  if (is_not_offered) name.known = {};
  const char* const effect = !had_any         ? ""
                             : is_not_offered ? "; its endpoints leave"
                                              : "; its endpoints stay as they are";
  tell_(true, fmt::format("looking up {}: {}{}", question.name, error.message(), effect));
}

base::Duration NameWatch::wait_after(Name& name) const {
  const bool has_interval = options_.interval > base::Duration(0);
  if (name.error) {
    name.retry = std::clamp(2 * name.retry, shortest, longest_after_failure);
    return has_interval ? std::min(options_.interval, name.retry) : name.retry;
  }
  name.retry = base::Duration(0);
  if (has_interval) return options_.interval;
  return wait_for(name.known.time_to_live);
}

base::Duration NameWatch::wait_for(std::optional<std::chrono::seconds> time_to_live) {
  return time_to_live ? std::clamp<base::Duration>(*time_to_live, shortest, longest) : usual;
}

}  // namespace windlass::app
