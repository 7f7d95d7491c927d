// What it costs to make batches durable: the queue on disk beside a plain write and fdatasync of the same bytes to a
// file that grows, and beside SQLite, LMDB and RocksDB, each told to sync every batch, on the same disk in one run.
//
// The contestants take turns, round by round, so that what else happens on the machine hits all of them alike; each
// figure is the middle one of the rounds.
//
// usage: bench_queue [DIRECTORY [ROUNDS [MEGABYTES]]]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <lmdb.h>
#include <memory>
#include <rocksdb/c.h>
#include <sqlite3.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "queue/directory.h"
#include "queue/disk_queue.h"

namespace {

using windlass::EventBuffer;
namespace fs = std::filesystem;

void need(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

/// Stores batches, one after another; each is durable when put() returns.
struct Contestant {
  Contestant() = default;
  virtual ~Contestant() = default;
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;
  virtual void put(const EventBuffer& batch) = 0;
  /// Gets to the state in which it will be for ever.
  virtual void warm_up(const EventBuffer&) {}
};

/// What is stored is delivered at once, so that segments are used again.
struct Windlass : Contestant {
  explicit Windlass(const fs::path& path) {
    std::unique_ptr<windlass::queue::Directory> directory;
    need(!windlass::queue::Directory::open(path, true, directory), "directory");
    need(!windlass::queue::DiskQueue::open(std::move(directory), {}, queue), "queue");
  }
  void put(const EventBuffer& batch) override { put(batch, true); }
  void warm_up(const EventBuffer& batch) override {
    const std::uint64_t segments = 2 * windlass::queue::DiskQueueOptions().segment_size;
    std::size_t count = 0;
    for (std::uint64_t bytes = 0; bytes < segments; bytes += batch.bytes()) put(batch, ++count % 16 == 0);
    need(!queue->sync(), "sync");
  }
  /// And has it delivered.
  void put(const EventBuffer& batch, bool synced) {
    windlass::queue::Sequence first = 0;
    need(!queue->append(batch, false, first) && (!synced || !queue->sync()), "append");
    queue->pass(queue->next());
    queue->ack(first, batch.size());
    if (queue->has_done()) need(!queue->remove_done(), "remove");
  }
  std::unique_ptr<windlass::queue::DiskQueue> queue;
};

/// Nothing is delivered, as in an outage.
struct Growing final : Windlass {
  using Windlass::Windlass;
  void put(const EventBuffer& batch) override {
    windlass::queue::Sequence first = 0;
    need(!queue->append(batch, false, first) && !queue->sync(), "append");
  }
  void warm_up(const EventBuffer&) override {}
};

struct Plain final : Contestant {
  explicit Plain(const fs::path& path) : file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644)) {
    need(file >= 0, "open");
  }
  ~Plain() override { ::close(file); }
  void put(const EventBuffer& batch) override {
    need(::write(file, batch[0].data(), batch.bytes()) == static_cast<ssize_t>(batch.bytes()), "write");
    need(::fdatasync(file) == 0, "fdatasync");
  }
  int file;
};

/// A row an event, a transaction a batch.
struct Sqlite final : Contestant {
  explicit Sqlite(const fs::path& path) {
    need(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "sqlite");
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE events (number INTEGER PRIMARY KEY, event BLOB)");
    need(sqlite3_prepare_v2(database, "INSERT INTO events (event) VALUES (?)", -1, &insert, nullptr) == SQLITE_OK,
         "prepare");
  }
  ~Sqlite() override {
    sqlite3_finalize(insert);
    sqlite3_close(database);
  }
  void run(const char* text) { need(sqlite3_exec(database, text, nullptr, nullptr, nullptr) == SQLITE_OK, text); }
  void put(const EventBuffer& batch) override {
    run("BEGIN");
    for (std::size_t index = 0; index < batch.size(); ++index) {
      sqlite3_bind_blob(insert, 1, batch[index].data(), static_cast<int>(batch[index].size()), SQLITE_STATIC);
      need(sqlite3_step(insert) == SQLITE_DONE, "insert");
      sqlite3_reset(insert);
    }
    run("COMMIT");
  }
  sqlite3* database = nullptr;
  sqlite3_stmt* insert = nullptr;
};

/// A key an event, in order, a transaction a batch.
struct Lmdb final : Contestant {
  explicit Lmdb(const fs::path& path) {
    fs::create_directories(path);
    need(mdb_env_create(&environment) == 0 && mdb_env_set_mapsize(environment, std::size_t{4} << 30) == 0 &&
             mdb_env_open(environment, path.c_str(), 0, 0644) == 0,
         "lmdb");
  }
  ~Lmdb() override { mdb_env_close(environment); }
  void put(const EventBuffer& batch) override {
    MDB_txn* transaction = nullptr;
    MDB_dbi database = 0;
    need(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0 &&
             mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &database) == 0,
         "begin");
    for (std::size_t index = 0; index < batch.size(); ++index, ++number) {
      MDB_val key{sizeof number, &number};
      MDB_val value{batch[index].size(), const_cast<char*>(batch[index].data())};
      need(mdb_put(transaction, database, &key, &value, MDB_APPEND) == 0, "put");
    }
    need(mdb_txn_commit(transaction) == 0, "commit");
  }
  MDB_env* environment = nullptr;
  std::size_t number = 0;
};

/// A key an event, a write batch a batch, its log synced.
struct Rocks final : Contestant {
  explicit Rocks(const fs::path& path) {
    char* error = nullptr;
    rocksdb_options_set_create_if_missing(options, 1);
    database = rocksdb_open(options, path.c_str(), &error);
    need(error == nullptr, "rocksdb");
    rocksdb_writeoptions_set_sync(writing, 1);
  }
  ~Rocks() override {
    rocksdb_close(database);
    rocksdb_options_destroy(options);
    rocksdb_writeoptions_destroy(writing);
  }
  void put(const EventBuffer& batch) override {
    rocksdb_writebatch_t* all = rocksdb_writebatch_create();
    for (std::size_t index = 0; index < batch.size(); ++index, ++number) {
      const std::uint64_t key = __builtin_bswap64(number);
      rocksdb_writebatch_put(all, reinterpret_cast<const char*>(&key), sizeof key, batch[index].data(),
                             batch[index].size());
    }
    char* error = nullptr;
    rocksdb_write(database, writing, all, &error);
    need(error == nullptr, "write");
    rocksdb_writebatch_destroy(all);
  }
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_writeoptions_t* writing = rocksdb_writeoptions_create();
  rocksdb_t* database = nullptr;
  std::uint64_t number = 0;
};

struct Measured {
  double seconds = 0;
  double cpu = 0;  ///< of all threads
};

template <typename Store>
Measured measure(const fs::path& path, const EventBuffer& batch, std::size_t batches) {
  fs::remove_all(path);
  ::sync();  // what others have left to write is not to be ours
  Measured measured;
  {
    Store store(path);
    store.warm_up(batch);
    const auto before = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    for (std::size_t count = 0; count < batches; ++count) store.put(batch);
    measured.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
    measured.cpu = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  }
  fs::remove_all(path);
  return measured;
}

void compare(const fs::path& directory, std::size_t events, std::size_t rounds, std::size_t bytes) {
  EventBuffer batch;
  for (std::size_t index = 0; index < events; ++index) {
    std::string event = R"({"@timestamp":"2026-01-01T10:00:00.000Z","message":"id=)" + std::to_string(index * 7919);
    event.resize(268, static_cast<char>('a' + index % 26));
    batch.append(event + "\"}");
  }
  const std::size_t batches = std::max<std::size_t>(20, bytes / batch.bytes());
  struct Entry {
    const char* name;
    Measured (*measure)(const fs::path&, const EventBuffer&, std::size_t);
    std::vector<Measured> rounds{};
  };
  std::array<Entry, 6> entries{{{"windlass", measure<Windlass>},
                                {"... that grows", measure<Growing>},
                                {"write+fdatasync", measure<Plain>},
                                {"SQLite", measure<Sqlite>},
                                {"LMDB", measure<Lmdb>},
                                {"RocksDB", measure<Rocks>}}};
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t turn = 0; turn < entries.size(); ++turn) {
      Entry& entry = entries[(round + turn) % entries.size()];
      entry.rounds.push_back(entry.measure(directory / "contestant", batch, batches));
    }
  std::printf("batches of %zu events (%zu bytes), each synced; %zu rounds of %zu batches\n", events, batch.bytes(),
              rounds, batches);
  std::printf("%-16s %12s %8s %12s %20s\n", "", "batches/s", "MB/s", "us CPU", "windlass is faster by");
  double ours = 0;
  for (Entry& entry : entries) {
    const auto faster = [](const Measured& a, const Measured& b) { return a.seconds < b.seconds; };
    std::sort(entry.rounds.begin(), entry.rounds.end(), faster);
    const Measured& middle = entry.rounds[rounds / 2];
    const double rate = static_cast<double>(batches) / middle.seconds;
    if (ours == 0) ours = rate;
    std::printf("%-16s %12.0f %8.1f %12.0f %20.2f\n", entry.name, rate, rate * static_cast<double>(batch.bytes()) / 1e6,
                1e6 * middle.cpu / static_cast<double>(batches), ours / rate);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path directory = fs::path(argc > 1 ? argv[1] : ".") / ("bench_queue." + std::to_string(::getpid()));
  const std::size_t rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5;
  const std::size_t bytes = (argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 64) << 20;
  fs::create_directories(directory);
  compare(directory, 2048, std::max<std::size_t>(1, rounds), bytes);
  compare(directory, 64, std::max<std::size_t>(1, rounds), bytes / 10);
  fs::remove_all(directory);
}
