#include "app/report.h"

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;
using testing::ElementsAre;
using testing::HasSubstr;

WorkerStatistics connection(const std::string& endpoint, std::uint64_t acked) {
  WorkerStatistics worker;
  worker.endpoint = endpoint;
  worker.acked = acked;
  worker.batches = 2;
  worker.failed_attempts = 1;
  worker.connects = 3;
  worker.window = 4;
  worker.window_reason = "grew: the line holds more";
  worker.latency = {acked, 10ms, 20ms, 30ms};
  return worker;
}

Report some_report() {
  Report report;
  Ledger& ledger = report.statistics.ledger;
  ledger.accepted = 1000;
  ledger.acked = 900;
  ledger.dropped[errc::attempts_exhausted] = 40;
  ledger.dropped[errc::rejected] = 30;
  ledger.dead_lettered = 20;
  ledger.queued = 7;
  ledger.in_flight = 3;
  ledger.retried = 55;
  ledger.hedged = 5;
  report.statistics.workers = {connection("h1:5044", 600), connection("h2:5044", 100), connection("h1:5044", 200)};
  report.last_errors["h2:5044"] = "connecting h2: Connection refused";
  report.input.lines = 1000;
  report.input.cut_lines = 2;
  report.seconds = 1.5;
  report.resources = {0.25, 1 << 20};
  return report;
}

std::vector<std::string> keys(const boost::json::value& value) {
  std::vector<std::string> result;
  for (const auto& pair : value.as_object()) result.emplace_back(pair.key());
  return result;
}

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

TEST(Report, HasTheFieldsThatAreDocumented) {
  const auto report = boost::json::parse(report_json(some_report()));
  EXPECT_THAT(keys(report),
              ElementsAre("accepted", "acked", "dropped", "dead_lettered", "queued", "in_flight", "retried", "hedged",
                          "duplicates", "input", "seconds", "cpu_seconds", "max_rss_bytes", "endpoints"));
  EXPECT_EQ(report.at("accepted").as_int64(), 1000);
  EXPECT_EQ(report.at("dropped"), (boost::json::value{{"attempts_exhausted", 40}, {"rejected", 30}}));
  EXPECT_EQ(report.at("seconds").as_double(), 1.5);
  EXPECT_EQ(report.at("max_rss_bytes").as_int64(), 1 << 20);
  EXPECT_EQ(report.at("input").at("cut_lines").as_int64(), 2);
  const auto& endpoint = report.at("endpoints").at(0);
  EXPECT_THAT(keys(endpoint), ElementsAre("endpoint", "acked", "batches", "failed_attempts", "connects", "window",
                                          "window_reason", "last_error", "latency_ms"));
  EXPECT_EQ(endpoint.at("last_error").as_string(), "");
  EXPECT_EQ(report.at("endpoints").at(1).at("last_error").as_string(), "connecting h2: Connection refused");
  EXPECT_EQ(endpoint.at("window_reason").as_string(), "grew: the line holds more");
  EXPECT_THAT(keys(endpoint.at("latency_ms")), ElementsAre("p50", "p99", "max"));
}

TEST(Report, SaysWhoHasALimitAndForHowLongItHeld) {
  Report report = some_report();
  for (WorkerStatistics& worker : report.statistics.workers) {
    worker.rate_limit = 2500;
    worker.at_rate_limit = std::chrono::milliseconds(1250);
  }
  const auto json = boost::json::parse(report_json(report));
  EXPECT_EQ(json.at("endpoints").at(0).at("rate_limit"), 2500);
  EXPECT_EQ(json.at("endpoints").at(0).at("at_rate_limit_seconds"), 1.25) << "and not once for each connection";
}

TEST(Report, KeepsTheLedgerBalanced) {
  const Report report = some_report();
  ASSERT_TRUE(report.statistics.ledger.balanced());
  const auto json = boost::json::parse(report_json(report));
  std::int64_t sum = 0;
  for (const char* key : {"acked", "dead_lettered", "queued", "in_flight"}) sum += json.at(key).as_int64();
  for (const auto& pair : json.at("dropped").as_object()) sum += pair.value().as_int64();
  EXPECT_EQ(sum, json.at("accepted").as_int64());
}

TEST(Report, PutsTheConnectionsOfAnEndpointTogether) {
  std::vector<WorkerStatistics> connections{connection("h1", 300), connection("h2", 1), connection("h1", 100)};
  connections[2].latency = {100, 50ms, 15ms, 90ms};
  const auto endpoints = by_endpoint(connections);
  ASSERT_EQ(endpoints.size(), 2u);
  EXPECT_EQ(endpoints[0].endpoint, "h1");
  EXPECT_EQ(endpoints[0].acked, 400u);
  EXPECT_EQ(endpoints[0].batches, 4u);
  EXPECT_EQ(endpoints[0].failed_attempts, 2u);
  EXPECT_EQ(endpoints[0].connects, 6u);
  EXPECT_EQ(endpoints[0].window, 8u);
  EXPECT_EQ(endpoints[0].latency.p50, 20ms);
  EXPECT_EQ(endpoints[0].latency.p99, 20ms);
  EXPECT_EQ(endpoints[0].latency.max, 90ms);
}

TEST(Report, WritesNumbersAsPeopleDo) {
  const std::string text = report_json(some_report());
  EXPECT_THAT(text, HasSubstr("\"seconds\": 1.5,"));
  EXPECT_THAT(text, HasSubstr("\"p50\": 10,"));
  EXPECT_THAT(text, testing::EndsWith("]\n}\n"));
  // Without anything to tell it is still whole.
  EXPECT_THAT(report_json({}), HasSubstr("\"dropped\": {},"));
  EXPECT_THAT(report_json({}), HasSubstr("\"endpoints\": []"));
}

TEST(Report, TakesThePlaceOfAnOldOneAndLeavesNothingBehind) {
  TemporaryDirectory directory;
  const std::string path = directory.write("report.json", "old and much longer");
  ASSERT_FALSE(write_report(path, "new"));
  EXPECT_EQ(content_of(path), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(Report, IsWrittenToDevicesAsTheyAre) {
  EXPECT_FALSE(write_report("/dev/null", "text"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(write_report("/dev/full", "text"), std::errc::no_space_on_device);
}

TEST(Report, SaysWhyItCannotBeWritten) {
  TemporaryDirectory directory;
  EXPECT_EQ(write_report(directory.path().string(), "x"), std::errc::is_a_directory);
  EXPECT_EQ(write_report((directory.path() / "no/where").string(), "x"), std::errc::no_such_file_or_directory);
}

TEST(Report, TellsPeopleWhatWentWrongAndNothingElse) {
  const std::string text = report_text(some_report());
  EXPECT_THAT(text, HasSubstr("900 of 1000 events acknowledged in 1.50 s (600 events/s)"));
  EXPECT_THAT(text, HasSubstr("40 dropped: every send attempt failed"));
  EXPECT_THAT(text, HasSubstr("3 left in flight"));
  EXPECT_THAT(text, HasSubstr("2 lines cut"));
  EXPECT_THAT(text, HasSubstr("800  89 %  h1:5044"));
  Report fine;
  fine.statistics.ledger.accepted = fine.statistics.ledger.acked = 5;
  EXPECT_EQ(report_text(fine), "5 of 5 events acknowledged in 0.00 s (0 events/s)\n");
}

TEST(Report, KnowsWhatTheProcessUses) {
  const Resources used = resources_used();
  EXPECT_GT(used.max_rss_bytes, 1u << 20);
  EXPECT_GE(used.cpu_seconds, 0);
}

}  // namespace
}  // namespace windlass::app
