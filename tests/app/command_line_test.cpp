#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "app/config_error.h"
#include "app/exit_code.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "windlass");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Exit exit_of(const std::vector<const char*>& arguments) {
  const Command command = parse(arguments);
  const Exit* exit = std::get_if<Exit>(&command);
  return exit != nullptr ? *exit : Exit{-1, "no exit"};
}

TEST(CommandLine, ReadsShip) {
  const auto ship =
      std::get<ShipOptions>(parse({"ship", "-c", "w.yml", "-E", "a=1", "-E", "b=2", "--to", "lumberjack://h1", "--to",
                                   "lumberjack://h2", "--report", "r.json", "--json", "a.log", "-"}));
  EXPECT_EQ(ship.sources.file, "w.yml");
  EXPECT_THAT(ship.sources.overrides, ElementsAre("a=1", "b=2"));
  EXPECT_THAT(ship.sources.to, ElementsAre("lumberjack://h1", "lumberjack://h2"));
  EXPECT_THAT(ship.inputs, ElementsAre("a.log", "-"));
  EXPECT_EQ(ship.report, "r.json");
  EXPECT_TRUE(ship.json);
}

TEST(CommandLine, GivesEachOptionOneValueSoThatFilesMayFollow) {
  const auto ship =
      std::get<ShipOptions>(parse({"ship", "--to", "lumberjack://h1", "a.log", "-E", "a=1", "b.log", "--", "-c"}));
  EXPECT_THAT(ship.sources.to, ElementsAre("lumberjack://h1"));
  EXPECT_THAT(ship.inputs, ElementsAre("a.log", "b.log", "-c"));
  EXPECT_EQ(ship.sources.file, std::nullopt);
}

TEST(CommandLine, ReadsSinkWithItsFaults) {
  const auto sink = std::get<SinkOptions>(parse({"sink",
                                                 "--listen",
                                                 "lumberjack://127.0.0.1:0",
                                                 "--listen",
                                                 "lumberjack://:5045",
                                                 "--record",
                                                 "f",
                                                 "--report",
                                                 "-",
                                                 "--delay",
                                                 "200ms",
                                                 "--rate",
                                                 "2.5k/s",
                                                 "--close-after",
                                                 "100",
                                                 "--ack-partial",
                                                 "7",
                                                 "--poison",
                                                 "DEAD",
                                                 "--keepalive-only",
                                                 "--refuse-for",
                                                 "1m",
                                                 "--reset"}));
  ASSERT_EQ(sink.listen.size(), 2u);
  EXPECT_EQ(sink.listen[1].at.port, 5045);
  EXPECT_EQ(sink.record, "f");
  EXPECT_EQ(sink.report, "-");
  EXPECT_EQ(sink.faults.delay, 200ms);
  EXPECT_EQ(sink.faults.rates, (std::vector<RateFrom>{{base::Duration(0), 2500}}));
  EXPECT_EQ(sink.faults.close_after, 100u);
  EXPECT_EQ(sink.faults.ack_partial, 7u);
  EXPECT_EQ(sink.faults.poison, "DEAD");
  EXPECT_TRUE(sink.faults.keepalive_only);
  EXPECT_EQ(sink.faults.refuse_for, 1min);
  EXPECT_TRUE(sink.faults.reset);
}

TEST(CommandLine, ReadsTestAndVersion) {
  const auto config = std::get<TestOptions>(parse({"test", "config", "-c", "w.yml"}));
  EXPECT_EQ(config.what, TestOptions::What::config);
  EXPECT_EQ(config.sources.file, "w.yml");
  const auto output = std::get<TestOptions>(parse({"test", "output", "--to", "lumberjack://h1"}));
  EXPECT_EQ(output.what, TestOptions::What::output);
  EXPECT_THAT(output.sources.to, ElementsAre("lumberjack://h1"));
  EXPECT_TRUE(std::holds_alternative<VersionOptions>(parse({"version"})));
}

TEST(CommandLine, HelpsOnStandardOutputWithExamples) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"--help"}, {"ship", "--help"}, {"sink", "-h"}, {"test", "--help"}}) {
    const Exit exit = exit_of(arguments);
    EXPECT_EQ(exit.code, exit_all_acked);
    EXPECT_THAT(exit.text, HasSubstr("Usage: windlass"));
    EXPECT_THAT(exit.text, HasSubstr(arguments.size() > 1 ? "Examples:\n  windlass" : "with examples"));
  }
  EXPECT_THAT(exit_of({"--version"}).text, HasSubstr("windlass "));
}

TEST(CommandLine, RefusesWhatItDoesNotUnderstandAndSaysWhy) {
  const std::vector<std::pair<std::vector<const char*>, std::string>> cases{
      {{}, "A subcommand is required"},
      {{"shipp"},
       "unknown command \"shipp\"; expected one of ship, relay, sink, test, version, queue; did you mean ship?"},
      {{"ship", "--bogus"}, "--bogus"},
      {{"ship", "--report"}, "--report"},
      {{"sink"}, "--listen is required"},
      {{"sink", "--listen", "lumberjack://:1", "file"}, "file"},
      {{"sink", "--listen", "lumberjack://:1", "--delay", "soon"},
       "--delay: expected a duration such as 500ms, got \"soon\""},
      {{"sink", "--listen", "lumberjack://:1", "--rate", "fast"},
       "--rate: expected a rate such as 5000/s, or several such as 5000/s,100/s@10s, got \"fast\""},
      {{"sink", "--listen", "lumberjack://:1", "--close-after", "-1"},
       "--close-after: expected a number from 1, got \"-1\""},
      {{"sink", "--listen", "lumberjack://:1", "--ack-partial", "99999999999"}, "--ack-partial"},
      {{"sink", "--listen", "http://:1", "--status", "99"}, "--status: expected a status from 200 to 599, got \"99\""},
      {{"test"}, "A subcommand is required"},
      {{"test", "outptu"}, "unknown command \"outptu\"; expected one of config, output; did you mean output?"},
      {{"version", "extra"}, "extra"},
  };
  for (const auto& [arguments, text] : cases) {
    const Exit exit = exit_of(arguments);
    EXPECT_EQ(exit.code, exit_usage) << text;
    EXPECT_THAT(exit.text, HasSubstr(text));
  }
  EXPECT_THROW(parse({"sink", "--listen", "127.0.0.1:5044"}), ConfigError);
  EXPECT_THROW(parse({"sink", "--listen", "http://:1", "--listen", "lumberjack://:1", "--status", "500"}), ConfigError);
}

}  // namespace
}  // namespace windlass::app
