#include "app/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "app/config_error.h"
#include "app/exit_code.h"
#include "app/output.h"
#include "app/suggestion.h"
#include "app/target.h"
#include "app/units.h"
#include "app/version.h"

namespace windlass::app {
namespace {

/// Options that may be given several times take one value each time, so that files may follow them.
CLI::Option* repeated(CLI::App* command, const std::string& names, std::vector<std::string>& values,
                      const std::string& description) {
  return command->add_option(names, values, description)->allow_extra_args(false)->take_all();
}

/// An option whose text is read by `parse`, which says nothing where it is not `expected`.
template <typename Value, typename Parse>
CLI::Option* add_parsed(CLI::App* command, const std::string& name, Value& to, Parse parse, const char* expected,
                        const std::string& description) {
  return command->add_option_function<std::string>(
      name,
      [=, &to](const std::string& text) {
        const auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, fmt::format("expected {}, got {}", expected, in_quotes(text)));
        to = static_cast<Value>(*value);
      },
      description);
}

void add_duration(CLI::App* command, const std::string& name, base::Duration& to, const std::string& description) {
  add_parsed(command, name, to, parse_duration, "a duration such as 500ms", description)->type_name("DURATION");
}

template <typename Count>
void add_count(CLI::App* command, const std::string& name, Count& to, const std::string& description) {
  const auto parse = [](const std::string& text) {
    const auto number = parse_integer(text);
    return number && *number >= 1 && std::in_range<Count>(*number) ? number : std::nullopt;
  };
  add_parsed(command, name, to, parse, "a number from 1", description)->type_name("N");
}

void add_config(CLI::App* command, ConfigSources& sources) {
  command->add_option("-c,--config", sources.file, "YAML file; an output section of a filebeat.yml works as it is")
      ->type_name("FILE");
  repeated(command, "-E", sources.overrides, "a setting by its whole name, such as output.logstash.timeout=5s")
      ->type_name("KEY=VALUE");
  repeated(
      command, "--to", sources.to,
      "where to: lumberjack://host:port,host:port?setting=value&..., elasticsearch://, http:// or redis://, with an s "
      "behind the scheme for TLS; file://PATH or stdout://")
      ->type_name("URL");
}

void add_report(CLI::App* command, std::string& report) {
  command->add_option("--report", report, "write what was done as one JSON object; - is standard output")
      ->type_name("FILE");
}

void describe_ship(CLI::App* command, ShipOptions& options) {
  add_config(command, options.sources);
  add_report(command, options.report);
  command->add_flag("--json", options.json, "each line is a JSON object already, and is shipped as it is");
  command->add_flag("--once", options.once, "read the files of `inputs` to their ends, save the positions, and end");
  command->add_option("files", options.inputs, "what to ship; - is standard input; else what the configuration says")
      ->type_name("FILE");
  command->footer(R"(
Files that are named here are read once, from their beginnings; those of `inputs` in the configuration are followed,
from where the last run ended. Ends when everything is acknowledged; retries without end unless max_retries is set. Exit code 0: everything was
acknowledged; 1: something was dropped or left; 2: usage or configuration.

Examples:
  windlass ship --to lumberjack://h1:5044,h2:5044 /var/log/app/*.log
  journalctl -o json | windlass ship --json --to lumberjacks://logs.example.com -
  windlass ship -c filebeat.yml -E output.logstash.worker=2 --report report.json app.log)");
}

CLI::Option* add_listen(CLI::App* command, std::vector<std::string>& listen, const std::string& schemes) {
  return repeated(command, "--listen", listen,
                  fmt::format("where to listen: {}; port 0 is one that is free; with an s behind the scheme for TLS, "
                              "with ssl.certificate and ssl.key",
                              schemes))
      ->type_name("URL");
}

void describe_relay(CLI::App* command, RelayOptions& options, std::vector<std::string>& listen) {
  add_config(command, options.sources);
  add_listen(command, listen, "lumberjack://host:port");
  add_report(command, options.report);
  command->footer(R"(
Acknowledges what Beats and other Lumberjack clients send once the endpoints have acknowledged it. Ends with SIGINT or
SIGTERM, when what was handed in is delivered. Exit code 0: all of it was acknowledged; 1: something was dropped or
left; 2: usage or configuration.

Examples:
  windlass relay --listen lumberjack://:5044 --to lumberjack://h1:5044,h2:5044
  windlass relay -c windlass.yml --listen 'lumberjacks://:5044?ssl.certificate=server.pem&ssl.key=server.key')");
}

void describe_sink(CLI::App* command, SinkOptions& options, std::vector<std::string>& listen) {
  add_listen(command, listen, "lumberjack://host:port, elasticsearch://, http:// or redis://")->required();
  command->add_option("--record", options.record, "append what is received, one event a line")->type_name("FILE");
  add_report(command, options.report);
  repeated(command, "--data-stream", options.data_streams,
           "elasticsearch: indexes of this name are data streams, such as logs-*-*; give it several times")
      ->type_name("NAME");

  SinkFaults& faults = options.faults;
  const std::string group = "Faults";
  add_duration(command, "--delay", faults.delay, "acknowledge this much later");
  add_parsed(command, "--rate", faults.rates, parse_rates, "a rate such as 5000/s, or several such as 5000/s,100/s@10s",
             "take at most so many events a second, such as 5000/s; 5000/s,100/s@10s: slower after 10 s")
      ->type_name("N/s");
  add_count(command, "--close-after", faults.close_after, "close each connection after so many events");
  add_count(command, "--ack-partial", faults.ack_partial, "acknowledge only so many events of a window, then close");
  command->add_option("--poison", faults.poison, "die of each event that contains this: close, and acknowledge nothing")
      ->type_name("TEXT");
  command->add_flag("--keepalive-only", faults.keepalive_only, "never acknowledge; only say that it lives");
  add_duration(command, "--refuse-for", faults.refuse_for, "reset connections for this long at first");
  const auto parse_status = [](const std::string& text) {
    const auto number = parse_integer(text);
    return number && *number >= 200 && *number <= 599 ? number : std::nullopt;
  };
  add_parsed(command, "--status", faults.status, parse_status, "a status from 200 to 599",
             "http, elasticsearch: answer every request with this status, and take nothing")
      ->type_name("STATUS");
  add_parsed(command, "--max-body", faults.max_body, parse_size, "a size such as 1MiB",
             "http, elasticsearch: answer requests with a larger body by 413")
      ->type_name("SIZE");
  repeated(command, "--block", faults.blocked,
           "elasticsearch: answer 403 to each event for an index of this name, such as logs-*; give it several times")
      ->type_name("NAME");
  add_count(command, "--reject-every", faults.reject_every, "elasticsearch: reject each Nth event (400)");
  add_count(command, "--throttle-every", faults.throttle_every, "elasticsearch: throttle each Nth event (429)");
  command->add_option("--fail", faults.fail, "elasticsearch: fail with each event that contains this (500)")
      ->type_name("TEXT");
  command->add_flag("--reset", faults.reset, "close connections by RST");
  for (const char* fault :
       {"--delay", "--rate", "--close-after", "--ack-partial", "--poison", "--keepalive-only", "--refuse-for",
        "--status", "--max-body", "--block", "--reject-every", "--throttle-every", "--fail", "--reset"})
    command->get_option(fault)->group(group);
  command->footer(R"(
Acknowledges whatever comes, until SIGINT or SIGTERM. Faults make it a bad server, to see how a client bears it.
What ids it has seen is kept in memory alone, so a sink that was started again takes any event anew.

Examples:
  windlass sink --listen lumberjack://127.0.0.1:5044 --record received.ndjson
  windlass sink --listen lumberjack://127.0.0.1:5045 --delay 200ms --rate 5000/s
  windlass sink --listen 'lumberjacks://:5044?ssl.certificate=server.pem&ssl.key=server.key'
  windlass sink --listen elasticsearch://:9200 --data-stream 'logs-*-*' --record received.ndjson)");
}

void describe_test(CLI::App* command, TestOptions& options) {
  command->require_subcommand(1);
  command->footer(R"(
Examples:
  windlass test config -c windlass.yml
  windlass test output --to lumberjacks://logs.example.com
  windlass test output -c windlass.yml --send-event)");
  const auto add = [&](const char* name, const char* description, TestOptions::What what) {
    CLI::App* test = command->add_subcommand(name, description);
    add_config(test, options.sources);
    test->callback([&options, what] { options.what = what; });
    return test;
  };
  add("config", "read and check the configuration", TestOptions::What::config);
  CLI::App* output = add("output", "and try each endpoint, step by step", TestOptions::What::output);
  output->add_flag("--send-event", options.send_event, "send one event, which is marked as a test, to each endpoint");
  output->add_flag("--json", options.json, "say it as one JSON object");
}

void describe_queue(CLI::App* command, QueueOptions& options) {
  command->require_subcommand(1);
  command->footer(R"(
The directory is that of queue.disk.path; nobody may be working with it, but for stat. Nothing in it is changed.

Examples:
  windlass queue verify /var/lib/windlass/queue
  windlass queue export /var/lib/windlass/queue > left.ndjson)");
  const auto add = [&](const char* name, const char* description, QueueOptions::What what) {
    CLI::App* queue = command->add_subcommand(name, description);
    queue->add_option("directory", options.path, "of the queue")->type_name("DIR")->required();
    queue->callback([&options, what] { options.what = what; });
  };
  add("stat", "tell what a queue on disk holds", QueueOptions::What::stat);
  add("verify", "read all of it; exit code 1 when something is damaged", QueueOptions::What::verify);
  add("export", "write what is not acknowledged to standard output, one event a line", QueueOptions::What::dump);
}

/// An option that a listener's protocol does not have would be left out without a word.
void expect_options_of(const std::vector<ListenConfig>& listen, const SinkOptions& sink) {
  const SinkFaults& faults = sink.faults;
  using Outputs = std::vector<OutputType>;
  const Outputs over_http{OutputType::http, OutputType::elasticsearch}, bulk{OutputType::elasticsearch};
  const std::tuple<const char*, bool, Outputs> particular[] = {
      {"--ack-partial", faults.ack_partial > 0, {OutputType::lumberjack, OutputType::redis}},
      {"--status", faults.status > 0, over_http},
      {"--max-body", faults.max_body > 0, over_http},
      {"--data-stream", !sink.data_streams.empty(), bulk},
      {"--block", !faults.blocked.empty(), bulk},
      {"--reject-every", faults.reject_every > 0, bulk},
      {"--throttle-every", faults.throttle_every > 0, bulk},
      {"--fail", !faults.fail.empty(), bulk},
  };
  for (const auto& [option, given, types] : particular) {
    const auto foreign = std::ranges::find_if(
        listen, [&types = types](const ListenConfig& at) { return std::ranges::find(types, at.type) == types.end(); });
    if (!given || foreign == listen.end()) continue;
    std::vector<std::string> schemes;
    for (const OutputType type : types) schemes.push_back(scheme_of(type, false) + "://");
    throw ConfigError(Place{option}, {},
                      fmt::format("{}:// has no such option; it is one of {}", scheme_of(foreign->type, false),
                                  fmt::join(schemes, " and ")));
  }
}

std::string unknown_command(const std::string& word, const CLI::App& program) {
  const CLI::App* within = &program;
  while (!within->get_subcommands().empty()) within = within->get_subcommands().front();
  std::vector<std::string_view> names;
  for (const CLI::App* command : within->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return fmt::format("unknown command {}; expected one of {}{}\n", in_quotes(word), fmt::join(names, ", "),
                     suggestion(word, names));
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  CLI::App program("Moves streams of events to many connections, pull-based, and accounts for each of them.",
                   "windlass");
  program.require_subcommand(1);
  program.set_version_flag("--version", std::string(trimmed(version_text())));
  program.footer("\nwindlass COMMAND --help tells more, with examples.");

  ShipOptions ship;
  RelayOptions relay;
  SinkOptions sink;
  TestOptions test;
  QueueOptions queue;
  std::vector<std::string> listen;
  CLI::App* ship_command = program.add_subcommand("ship", "ship lines of files or of standard input");
  CLI::App* relay_command =
      program.add_subcommand("relay", "take what Beats and other Lumberjack clients send, and ship it");
  CLI::App* sink_command = program.add_subcommand("sink", "be an endpoint, to try things against");
  CLI::App* test_command = program.add_subcommand("test", "check a configuration, or the hosts that it names");
  CLI::App* version_command = program.add_subcommand("version", "tell the version");
  describe_ship(ship_command, ship);
  describe_relay(relay_command, relay, listen);
  describe_sink(sink_command, sink, listen);
  describe_test(test_command, test);
  CLI::App* queue_command = program.add_subcommand("queue", "look into a queue on disk");
  describe_queue(queue_command, queue);

  // What follows "--" is a file whatever it looks like. (CLI11 takes it for unknown once another file came before it.)
  const char* const* const marker = std::find(argv, argv + argc, std::string_view("--"));
  const std::vector<std::string> files(std::min(marker + 1, argv + argc), argv + argc);
  try {
    program.parse(static_cast<int>(marker - argv), argv);
    if (!ship_command->parsed() && !files.empty()) throw CLI::ExtrasError(files);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = program.exit(error, out, err);
    const std::vector<std::string> unknown = program.remaining(true);
    if (code != 0 && !unknown.empty() && err.str().starts_with("A subcommand is required"))
      return Exit{exit_usage, unknown_command(unknown.front(), program)};
    return code == 0 ? Exit{exit_all_acked, out.str()} : Exit{exit_usage, err.str()};
  }
  if (ship_command->parsed()) {
    ship.inputs.insert(ship.inputs.end(), files.begin(), files.end());
    return ship;
  }
  if (test_command->parsed()) return test;
  if (queue_command->parsed()) return queue;
  if (version_command->parsed()) return VersionOptions();
  if (relay_command->parsed()) {
    for (const std::string& url : listen) relay.listen.push_back(read_listen(url));
    return relay;
  }
  for (const std::string& url : listen) sink.listen.push_back(read_listen(url));
  expect_options_of(sink.listen, sink);
  return sink;
}

}  // namespace windlass::app
