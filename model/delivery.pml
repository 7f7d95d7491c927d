/* Windlass: the delivery protocol of the core, as a model for spin.
 *
 * Publishers hand batches to a core; workers draw them, each over one connection; endpoints acknowledge, refuse, fail,
 * stall and vanish as they like; the owner drains or closes at any moment. The core's steps are atomic, as they are in
 * the code, where one thread runs them. There is no time: whatever a timer would do may happen at any moment at which
 * it could be due. The order of the queue and the choice of a worker are left open too, so what is shown here holds for
 * every balancing rule. scripts/check-model runs this file, and docs/model.md explains it.
 *
 * A live attempt is the pair (batch, worker), for a connection carries a batch at most once. An answer to an attempt
 * that has ended is `owed`, apart from the live ones: that is what a unique attempt id means. */

/* ---- Size: each can be given with -D. ---- */
#ifndef WORKERS
#define WORKERS 2 /* 1 to 3 */
#endif
#ifndef PUBLISHES
#define PUBLISHES 2 /* publish calls, each by a publisher of its own */
#endif
#ifndef PARTS
#define PARTS 1 /* batches that one publish is cut into: 1 or 2; at most 4 batches in all */
#endif
#ifndef EVENTS
#define EVENTS 2 /* events in a batch: 1 to 3 */
#endif
#ifndef WINDOW
#define WINDOW 1 /* batches in flight on one connection */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* max_retries + 1 */
#endif
#ifndef GUARANTEED
#define GUARANTEED 1 /* bit p: publish p is retried without end */
#endif
#ifndef ROOM
#define ROOM (PUBLISHES * PARTS * EVENTS) /* budget: events accepted and not yet finished */
#endif
#ifndef HEDGES
#define HEDGES 1 /* 0: no second copies */
#endif
#define ENDLESS 255
#ifndef FAULTS
#define FAULTS ENDLESS /* how often the world misbehaves before it stops doing so */
#endif
#ifndef HEALTHY
#define HEALTHY 0 /* bit w: connection w never misbehaves */
#endif
#ifndef DEADLINE
#define DEADLINE 1 /* 0: a drain may take as long as it takes */
#endif
#ifndef OWNER
#define OWNER 1 /* 0: nobody drains or closes */
#endif
#ifndef TIME
#define TIME 0 /* 1: for liveness */
#endif

/* ---- Planted bugs: -DPLANT=PLANT_... puts one into the core; the check must find it. ---- */
#define PLANT_DOUBLE_SIGNAL 1         /* a straggler's acknowledgement finishes its batch again */
#define PLANT_SIGNAL_EACH_PART 2      /* a publish in several batches hears of each */
#define PLANT_LATE_FAILURE_COUNTED 3  /* an error that is reported twice takes the batch back twice */
#define PLANT_LATE_ACK_COUNTED 4      /* a late acknowledgement counts for what the connection carries by now */
#define PLANT_SIGNAL_AFTER_CLOSE 5    /* a late answer is signalled, though close has returned */
#define PLANT_CLOSE_FORGETS_FLIGHT 6  /* close signals only what is queued */
#define PLANT_DRAIN_SPENDS_ATTEMPT 7  /* a drain costs what is queued an attempt */
#define PLANT_HEDGE_IS_TWO_ATTEMPTS 8 /* each copy of a hedged pair costs an attempt */
#define PLANT_NO_LIMIT_ON_WAITING 9   /* an expired wait costs nothing, but is reported as an attempt */
#define PLANT_GUARANTEED_LIMITED 10   /* a guaranteed publish is dropped as any other */
#define PLANT_WINDOW_OFF_BY_ONE 11    /* a worker draws while in flight <= window */
#define PLANT_STRANDED 12             /* a lost connection keeps what it carried */
#define PLANT_SAME_WORKER 13          /* a failed batch may go straight back */
#define PLANT_RESENDS_ACKED 14        /* after a partial acknowledgement everything is sent again */
#define PLANT_PARTIAL_IS_FULL 15      /* a partial acknowledgement counts for the whole batch */
#define PLANT_REJECTION_UNBOOKED 16   /* a rejected event stays in flight in the ledger */
#define PLANT_ROOM_UNCHECKED 17       /* a publish is accepted beyond the budget */
#define PLANT_THIRD_COPY 18           /* a hedge may be hedged again */
#define PLANT_SHUNNED_FOREVER 19      /* liveness: a failed batch never returns to the worker, even if it is alone */
#define PLANT_RESTS_FOREVER 20        /* liveness: a worker that failed on a standing connection stays out */
#define PLANT_ALIVE_IS_PROGRESS 21    /* liveness: a stalled peer is kept for its signs of life */
#define PLANT_DRAIN_STOPS_RETRIES 22  /* liveness: a drain takes no batch out of the queue */
#define PLANT_HAND_BACK_SPINS 23      /* liveness: what is handed back returns to the same worker at once */
#ifndef PLANT
#define PLANT 0
#endif
#define planted(bug) (PLANT == bug)

/* ---- Loops over workers, batches and events, unrolled: spin compiles one expression faster than a loop. ---- */
#define BATCHES (PUBLISHES * PARTS)
#if WORKERS == 1
#define OVER_WORKERS(f, b, op) (f(b, 0))
#define PARTICIPANTS ((link[0] == Up))
#elif WORKERS == 2
#define OVER_WORKERS(f, b, op) (f(b, 0) op f(b, 1))
#define PARTICIPANTS ((link[0] == Up) + (link[1] == Up))
#elif WORKERS == 3
#define OVER_WORKERS(f, b, op) (f(b, 0) op f(b, 1) op f(b, 2))
#define PARTICIPANTS ((link[0] == Up) + (link[1] == Up) + (link[2] == Up))
#endif
#if BATCHES == 1
#define OVER_BATCHES(f, w, op) (f(0, w))
#define EACH_BATCH(step) step(0)
#elif BATCHES == 2
#define OVER_BATCHES(f, w, op) (f(0, w) op f(1, w))
#define EACH_BATCH(step) step(0) step(1)
#elif BATCHES == 3
#define OVER_BATCHES(f, w, op) (f(0, w) op f(1, w) op f(2, w))
#define EACH_BATCH(step) step(0) step(1) step(2)
#elif BATCHES == 4
#define OVER_BATCHES(f, w, op) (f(0, w) op f(1, w) op f(2, w) op f(3, w))
#define EACH_BATCH(step) step(0) step(1) step(2) step(3)
#endif
#if EVENTS == 1
#define EACH_EVENT(step, b) step(b, 0)
#elif EVENTS == 2
#define EACH_EVENT(step, b) step(b, 0) step(b, 1)
#elif EVENTS == 3
#define EACH_EVENT(step, b) step(b, 0) step(b, 1) step(b, 2)
#endif

/* ---- Coverage: with -DCOVER the search says which situations it has met, so that none goes missing unnoticed. ---- */
#ifdef COVER
c_code {
  static void met(unsigned char* before, const char* what) {
    if (!*before) printf("met: %s\n", what);
    *before = 1;
  }
};
#define MET(situation) c_code { { static unsigned char before; met(&before, #situation); } }
#else
#define MET(situation) skip
#endif
#define MET_IF(condition, situation) if :: condition -> MET(situation) :: else fi

/* ---- State. Sets of events are bit masks. ---- */
#define bit_of(x) (1 << (x))
#define EVERY (bit_of(EVENTS) - 1)
#define NOBODY WORKERS
#define size(events) (((events) & 1) + (((events) >> 1) & 1) + (((events) >> 2) & 1))

mtype = { Fresh, Queued, Assigned, Finished };
typedef Batch {
  mtype state = Fresh;
  byte todo;               /* events without an outcome */
  byte acked;
  byte rejected;           /* refused for good: dead-lettered */
  byte left;               /* attempts */
  bit progressed;          /* an event got its outcome since the batch was last drawn */
  byte shunned = NOBODY;   /* the worker that failed it last */
  /* Kept by the checker, not by the core: */
  byte confirmed;          /* events that some endpoint has acknowledged */
  byte spent;              /* failed sends and expired waits since the last progress */
};
Batch batch[BATCHES];

/* Per connection: what it carries of each batch (its events without an answer; 0: no live attempt), and whether the
 * peer has stopped getting anywhere. */
byte carried_[BATCHES * WORKERS];
#define carried(b, w) carried_[(b) * WORKERS + (w)]
mtype = { Down, Up, Resting };
mtype link[WORKERS] = Down;
bit stalled[WORKERS];

/* The one answer to a dead attempt that is still on its way; no events: none is. */
typedef Owed {
  byte events;
  byte what;
  byte who;
};
Owed owed;

mtype = { Unsent, Accepted, Refused };
mtype publish[PUBLISHES] = Unsent;
byte signals[PUBLISHES];

mtype = { Running, Draining, Closed };
mtype mode = Running;

typedef Ledger { /* in events */
  byte accepted;
  byte acked;
  byte dropped;
  byte dead_lettered;
  byte queued;
  byte in_flight;
};
Ledger ledger;

byte faults = FAULTS;
byte i; /* for loops inside of a step; 0 between steps */

/* ---- What follows from the state. ---- */
#define publish_of(b) ((b) / PARTS)
#define guaranteed(b) ((GUARANTEED & bit_of(publish_of(b))) != 0)
#define limited(b) (!guaranteed(b) || planted(PLANT_GUARANTEED_LIMITED))
#define live(b, w) (carried(b, w) != 0)
#define copies(b) OVER_WORKERS(live, b, +)
#define in_flight(w) OVER_BATCHES(live, w, +)
#define first_part(p) ((p) * PARTS)
#define last_part(p) ((p) * PARTS + PARTS - 1)
#define all_parts(p) (batch[first_part(p)].state == Finished && batch[last_part(p)].state == Finished)
#define unfinished (ledger.accepted - ledger.acked - ledger.dropped - ledger.dead_lettered)

#define another_participates(w) (PARTICIPANTS > (link[w] == Up))
#define has_room(w) (link[w] == Up && in_flight(w) < WINDOW + planted(PLANT_WINDOW_OFF_BY_ONE))
#define wrong_worker(b, w)                                          \
  (batch[b].shunned == (w) && !planted(PLANT_SAME_WORKER) &&        \
   (another_participates(w) || planted(PLANT_SHUNNED_FOREVER)))
#define can_draw(b, w)                                              \
  (batch[b].state == Queued && has_room(w) && !wrong_worker(b, w) && \
   !(mode == Draining && planted(PLANT_DRAIN_STOPS_RETRIES)))
#define can_hedge(b, w)                                                                                \
  (HEDGES && batch[b].state == Assigned && copies(b) < 2 + planted(PLANT_THIRD_COPY) && !live(b, w) && \
   has_room(w) && batch[b].shunned != (w))
#define may_misbehave(w) (faults > 0 && (HEALTHY & bit_of(w)) == 0)

/* ---- What must hold after every step. Each assertion has its rule beside it: check-model quotes the line. ---- */
#define implies(a, b) (!(a) || (b))
#define unique_signal(b, unused)                                                                         \
  (signals[publish_of(b)] == (publish[publish_of(b)] == Accepted && all_parts(publish_of(b))))
#define endpoint_acked(b, unused) ((batch[b].acked & ~batch[b].confirmed) == 0)
#define one_outcome(b, unused)                                                                           \
  ((batch[b].acked & batch[b].rejected) == 0 && (batch[b].todo & (batch[b].acked | batch[b].rejected)) == 0 && \
   implies(batch[b].todo != 0, (batch[b].todo | batch[b].acked | batch[b].rejected) == EVERY))
#define kept_guarantee(b, unused)                                                                        \
  implies(guaranteed(b) && mode != Closed && batch[b].state == Finished, (batch[b].acked | batch[b].rejected) == EVERY)
#define honest_attempts(b, unused)                                                                       \
  implies(batch[b].todo != 0 && !guaranteed(b), batch[b].left + batch[b].spent == ATTEMPTS)
#define few_copies(b, unused) (copies(b) <= 1 + HEDGES)
#define honest_state(b, unused)                                                                          \
  (implies(batch[b].state == Fresh || batch[b].state == Queued, copies(b) == 0) &&                       \
   implies(batch[b].state == Assigned, copies(b) > 0) &&                                                 \
   (batch[b].state == Queued || batch[b].state == Assigned) == (batch[b].todo != 0))
#define complete_copy(b, w) implies(live(b, w) && batch[b].state == Assigned, (batch[b].todo & ~carried(b, w)) == 0)
#define complete_copies(b, unused) OVER_WORKERS(complete_copy, b, &&)
#define within_window(unused, w) (in_flight(w) <= WINDOW)
#define holds_nothing_when_down(unused, w) implies(link[w] == Down, in_flight(w) == 0)
#define is_down(unused, w) (link[w] == Down)
#define is_answered(b, unused) implies(publish[publish_of(b)] == Accepted, signals[publish_of(b)] == 1)
#define count_acked(b, unused) size(batch[b].acked)
#define count_rejected(b, unused) size(batch[b].rejected)
#define count_queued(b, unused) (batch[b].state == Queued -> size(batch[b].todo) : 0)
#define count_assigned(b, unused) (batch[b].state == Assigned -> size(batch[b].todo) : 0)

inline check() {
  assert(implies(mode == Closed, OVER_BATCHES(is_answered, 0, &&))); /* after close no signal is missing */
  assert(implies(mode == Closed, OVER_WORKERS(is_down, 0, &&))); /* after close no connection stands */
  assert(OVER_BATCHES(unique_signal, 0, &&)); /* one signal, when the last event has its outcome */
  assert(OVER_BATCHES(endpoint_acked, 0, &&)); /* acked means that an endpoint acknowledged it */
  assert(OVER_BATCHES(one_outcome, 0, &&)); /* an event waits, or is acked, or is rejected */
  assert(OVER_BATCHES(kept_guarantee, 0, &&)); /* guaranteed: never dropped before close */
  assert(OVER_BATCHES(honest_attempts, 0, &&)); /* only failed sends and expired waits cost attempts */
  assert(OVER_BATCHES(few_copies, 0, &&)); /* two live copies at most */
  assert(OVER_BATCHES(honest_state, 0, &&)); /* queued: no live copy; assigned: at least one */
  assert(OVER_BATCHES(complete_copies, 0, &&)); /* a live copy holds whatever its batch still waits for */
  assert(OVER_WORKERS(within_window, 0, &&)); /* in flight never exceeds the window */
  assert(OVER_WORKERS(holds_nothing_when_down, 0, &&)); /* without a connection a worker holds nothing */
  assert(unfinished == ledger.queued + ledger.in_flight); /* the ledger adds up */
  assert(ledger.acked == OVER_BATCHES(count_acked, 0, +)); /* acked, counted */
  assert(ledger.dead_lettered == OVER_BATCHES(count_rejected, 0, +)); /* dead-lettered, counted */
  assert(ledger.queued == OVER_BATCHES(count_queued, 0, +)); /* queued, counted */
  assert(ledger.in_flight == OVER_BATCHES(count_assigned, 0, +)); /* in flight, counted */
  assert(unfinished <= ROOM); /* never more than there is room for */
  i = 0
}

/* ---- The core. ---- */
inline signal(p) {
  assert(mode != Closed); /* no signal after close has returned */
  assert(publish[p] == Accepted); /* no signal for what was refused */
  signals[p]++
}

/* Every event of b has its outcome. */
inline finish(b) {
  batch[b].state = Finished;
  batch[b].todo = 0;
  batch[b].left = 0;
  batch[b].spent = 0;
  batch[b].progressed = 0;
  batch[b].shunned = NOBODY;
  if
  :: all_parts(publish_of(b)) || planted(PLANT_SIGNAL_EACH_PART) -> signal(publish_of(b))
  :: else
  fi
}

/* Gives up what is left of b, which is queued. */
inline drop(b) {
  ledger.queued = ledger.queued - size(batch[b].todo);
  ledger.dropped = ledger.dropped + size(batch[b].todo);
  finish(b)
}

inline spend_attempt(b) {
  if
  :: limited(b) -> batch[b].left--
  :: else
  fi;
  if
  :: !guaranteed(b) -> batch[b].spent++
  :: else
  fi
}

inline drop_if_used_up(b) {
  if
  :: limited(b) && batch[b].left == 0 ->
    assert(implies(!guaranteed(b), batch[b].spent == ATTEMPTS)); /* never dropped with attempts left */
    MET_IF(batch[b].acked, dropped_after_a_part_was_acked);
    drop(b)
  :: else
  fi
}

/* The last live copy of b has ended without finishing it: back to the queue, or the end of it. */
inline take_back(b, cost) {
  ledger.in_flight = ledger.in_flight - size(batch[b].todo);
  ledger.queued = ledger.queued + size(batch[b].todo);
  batch[b].state = Queued;
  if
  :: batch[b].progressed ->
    MET_IF(batch[b].left < ATTEMPTS, attempts_restored_by_progress);
    batch[b].left = ATTEMPTS;
    batch[b].spent = 0;
    batch[b].progressed = 0
  :: !batch[b].progressed && cost -> spend_attempt(b)
  :: else
  fi;
  drop_if_used_up(b)
}

/* The attempt of w on b is over. A hedged pair is one attempt, which is over with the second copy. */
inline end_copy(b, w, cost) {
  if
  :: batch[b].state == Assigned ->
    batch[b].shunned = (cost || !planted(PLANT_HAND_BACK_SPINS) -> (w) : NOBODY);
    if
    :: copies(b) == 1 ->
      carried(b, w) = 0;
      take_back(b, cost)
    :: else ->
      MET(one_copy_of_a_hedged_pair_failed);
      carried(b, w) = 0;
      if
      :: planted(PLANT_HEDGE_IS_TWO_ATTEMPTS) && limited(b) -> batch[b].left--
      :: else
      fi
    fi
  :: else ->
    carried(b, w) = 0
  fi
}

/* Event e of b, sent by w, has its outcome, unless the other copy was quicker. */
inline settle(b, w, e, is_ack) {
  carried(b, w) = carried(b, w) & ~bit_of(e);
  if
  :: (batch[b].todo & bit_of(e)) != 0 ->
    batch[b].todo = batch[b].todo & ~bit_of(e);
    batch[b].progressed = 1;
    ledger.in_flight--;
    if
    :: is_ack ->
      batch[b].acked = batch[b].acked | bit_of(e);
      ledger.acked++
    :: else ->
      batch[b].rejected = batch[b].rejected | bit_of(e);
      ledger.dead_lettered++
    fi;
    if
    :: batch[b].todo == 0 ->
      MET_IF(copies(b) > 0, a_copy_won_and_left_a_straggler);
      finish(b)
    :: else
    fi
  :: else ->
    MET_IF(batch[b].state == Finished, a_straggler_answered);
    MET_IF(batch[b].state == Assigned, the_other_copy_was_quicker_with_one_event);
    if
    :: planted(PLANT_DOUBLE_SIGNAL) && batch[b].state == Finished && !live(b, w) -> finish(b)
    :: else
    fi
  fi
}

inline send(b, w) {
  assert(link[w] == Up && mode != Closed); /* only a participating worker draws */
  assert(!live(b, w)); /* a connection carries a batch once */
  carried(b, w) = (planted(PLANT_RESENDS_ACKED) -> EVERY : batch[b].todo);
  assert((carried(b, w) & (batch[b].acked | batch[b].rejected)) == 0) /* what is known to be done is not sent again */
}

inline draw(b, w) {
  assert(copies(b) == 0); /* one live attempt, unless hedged */
  assert(guaranteed(b) || batch[b].spent < ATTEMPTS); /* never more attempts than the limit without progress */
  assert(implies(batch[b].shunned == (w), !another_participates(w))); /* not back to who failed it, given another */
  MET_IF(batch[b].shunned == (w), back_to_the_worker_that_failed_it_for_want_of_another);
  batch[b].progressed = 0;
  batch[b].state = Assigned;
  ledger.queued = ledger.queued - size(batch[b].todo);
  ledger.in_flight = ledger.in_flight + size(batch[b].todo);
  send(b, w);
  MET_IF(in_flight(w) == WINDOW && ledger.queued > 0, the_window_was_full_while_work_waited)
}

/* The connection of w is gone: whatever it carried goes elsewhere. */
inline lost(w) {
  link[w] = Down;
  stalled[w] = 0;
  MET_IF(in_flight(w) == 0, an_idle_connection_ended);
  for (i : 0 .. BATCHES - 1) {
    if
    :: live(i, w) && !planted(PLANT_STRANDED) -> end_copy(i, w, 1)
    :: else
    fi
  }
}

inline close() {
  MET_IF(ledger.in_flight > 0, closed_with_work_in_flight);
  MET_IF(ledger.queued > 0, closed_with_work_queued);
  MET_IF(ledger.in_flight + ledger.queued > 0 && mode == Draining, a_drain_met_its_deadline);
  MET_IF(ledger.in_flight + ledger.queued == 0 && mode == Draining, a_drain_finished);
  for (i : 0 .. BATCHES - 1) {
    if
    :: batch[i].state == Assigned && !planted(PLANT_CLOSE_FORGETS_FLIGHT) ->
      ledger.in_flight = ledger.in_flight - size(batch[i].todo);
      ledger.queued = ledger.queued + size(batch[i].todo);
      batch[i].state = Queued;
      drop(i)
    :: batch[i].state == Queued -> drop(i)
    :: else
    fi
  };
  for (i : 0 .. BATCHES * WORKERS - 1) {
    carried_[i] = 0
  };
  for (i : 0 .. WORKERS - 1) {
    link[i] = Down;
    stalled[i] = 0
  };
  mode = Closed
}

/* ---- The world. ---- */
inline misbehave() {
  faults = (FAULTS == ENDLESS -> ENDLESS : faults - 1)
}

/* The client of w will answer once more for its attempt on b, though the attempt is about to end. */
inline owe(b, w) {
  owed.events = carried(b, w);
  owed.what = b;
  owed.who = w
}

/* An answer to an attempt that has ended: the core does not find its id, and nothing changes. */
inline late_ack() {
  batch[owed.what].confirmed = batch[owed.what].confirmed | owed.events; /* the endpoint meant it, all the same */
  MET_IF(batch[owed.what].state == Queued, a_late_ack_for_a_batch_that_waits);
  MET_IF(batch[owed.what].state == Assigned, a_late_ack_for_a_batch_that_is_sent_again);
  MET_IF(mode == Closed, a_late_ack_after_close);
  if
  :: planted(PLANT_LATE_ACK_COUNTED) ->
    for (i : 0 .. BATCHES - 1) {
      if
      :: live(i, owed.who) && batch[i].state == Assigned ->
        ledger.in_flight = ledger.in_flight - size(batch[i].todo);
        ledger.acked = ledger.acked + size(batch[i].todo);
        batch[i].acked = batch[i].acked | batch[i].todo;
        carried(i, owed.who) = 0;
        finish(i)
      :: else
      fi
    }
  :: planted(PLANT_SIGNAL_AFTER_CLOSE) && mode == Closed -> signal(publish_of(owed.what))
  :: else
  fi;
  forget_owed()
}

inline late_failure() {
  MET_IF(batch[owed.what].state == Assigned, an_error_was_reported_twice);
  if
  :: planted(PLANT_LATE_FAILURE_COUNTED) && batch[owed.what].state == Assigned -> take_back(owed.what, 1)
  :: else
  fi;
  forget_owed()
}

inline forget_owed() {
  owed.events = 0;
  owed.what = 0;
  owed.who = 0
}

proctype Publisher(byte p) {
  if
  :: d_step { /* waits for room */
      mode == Running && (unfinished + PARTS * EVENTS <= ROOM || planted(PLANT_ROOM_UNCHECKED)) ->
      printf("publish %d is accepted\n", p);
      MET_IF(ledger.acked > 0 && unfinished + 2 * PARTS * EVENTS > ROOM, a_publish_waited_for_room);
      publish[p] = Accepted;
      ledger.accepted = ledger.accepted + PARTS * EVENTS;
      ledger.queued = ledger.queued + PARTS * EVENTS;
      for (i : first_part(p) .. last_part(p)) {
        batch[i].state = Queued;
        batch[i].todo = EVERY;
        batch[i].left = ATTEMPTS
      };
      check()
    }
  :: d_step {
      mode != Running ->
      printf("publish %d is refused\n", p);
      MET(a_publish_was_refused);
      publish[p] = Refused;
      check()
    }
  fi
}

/* The worker's side of the core: what it decides by itself, and its timers. */
#define DRAW(b)                                                \
  :: d_step {                                                  \
      can_draw(b, w) ->                                        \
      printf("worker %d draws batch %d\n", w, b);              \
      draw(b, w);                                              \
      check()                                                  \
    }
#define HEDGE(b)                                               \
  :: d_step {                                                  \
      can_hedge(b, w) ->                                       \
      printf("worker %d hedges batch %d\n", w, b);             \
      send(b, w);                                              \
      check()                                                  \
    }
proctype Worker(byte w) {
end:
  do
  EACH_BATCH(DRAW)
  EACH_BATCH(HEDGE)
  :: d_step { /* the backoff is over */
      link[w] == Resting && !planted(PLANT_RESTS_FOREVER) ->
      printf("worker %d participates again\n", w);
      link[w] = Up;
      check()
    }
  :: d_step { /* signs of life are not progress, which has a deadline of its own */
      stalled[w] && in_flight(w) > 0 && !planted(PLANT_ALIVE_IS_PROGRESS) ->
      printf("worker %d gives its connection up\n", w);
      MET(a_stalled_connection_was_given_up);
      lost(w);
      check()
    }
  od
}

/* The endpoint's side of connection w. Answers come event by event and in any order: cumulative acknowledgements are
 * the orders that run upwards, answers item by item are all of them. */
#define ACK(b, e)                                                                        \
  :: d_step {                                                                            \
      (carried(b, w) & bit_of(e)) != 0 && !stalled[w] ->                                 \
      printf("connection %d acks event %d of batch %d\n", w, e, b);                      \
      batch[b].confirmed = batch[b].confirmed | bit_of(e);                               \
      settle(b, w, e, 1);                                                     \
      if                                                                                 \
      :: planted(PLANT_PARTIAL_IS_FULL) && batch[b].state == Assigned ->                 \
        batch[b].acked = batch[b].acked | batch[b].todo;                                 \
        ledger.acked = ledger.acked + size(batch[b].todo);                               \
        ledger.in_flight = ledger.in_flight - size(batch[b].todo);                       \
        finish(b)                                                                        \
      :: else                                                                            \
      fi;                                                                                \
      check()                                                                            \
    }
#define REJECT(b, e)                                                                     \
  :: d_step {                                                                            \
      (carried(b, w) & bit_of(e)) != 0 && !stalled[w] && may_misbehave(w) ->             \
      printf("connection %d rejects event %d of batch %d for good\n", w, e, b);          \
      misbehave();                                                                       \
      settle(b, w, e, 0);                                          \
      ledger.in_flight = ledger.in_flight + planted(PLANT_REJECTION_UNBOOKED);           \
      MET_IF(batch[b].state == Assigned, one_event_was_rejected_and_the_rest_went_on);   \
      check()                                                                            \
    }
#define ANSWER(b)                                                                        \
  EACH_EVENT(ACK, b)                                                                     \
  EACH_EVENT(REJECT, b)                                                                  \
  :: d_step { /* the send fails, the connection stands */                                \
      live(b, w) && !stalled[w] && may_misbehave(w) ->                                   \
      printf("connection %d fails batch %d\n", w, b);                                    \
      MET_IF(batch[b].progressed && carried(b, w) != EVERY, a_part_was_acked_and_the_rest_failed); \
      misbehave();                                                                       \
      link[w] = Resting;                                                                 \
      end_copy(b, w, 1);                                                                 \
      check()                                                                            \
    }                                                                                    \
  :: d_step { /* the same, and the client will say so a second time */                   \
      live(b, w) && !stalled[w] && may_misbehave(w) && owed.events == 0 ->               \
      printf("connection %d fails batch %d, not for the last time\n", w, b);             \
      misbehave();                                                                       \
      owe(b, w);                                                                         \
      link[w] = Resting;                                                                 \
      end_copy(b, w, 1);                                                                 \
      check()                                                                            \
    }                                                                                    \
  :: d_step { /* the client hands back what is left, without an error */                 \
      live(b, w) && !stalled[w] && may_misbehave(w) ->                                   \
      printf("connection %d hands batch %d back\n", w, b);                               \
      misbehave();                                                                       \
      end_copy(b, w, 0);                                                                 \
      check()                                                                            \
    }                                                                                    \
  :: d_step { /* lost, and the client will answer for b only later */                    \
      live(b, w) && may_misbehave(w) && owed.events == 0 ->                              \
      printf("connection %d is lost, its answer for batch %d will be late\n", w, b);     \
      misbehave();                                                                       \
      owe(b, w);                                                                         \
      lost(w);                                                                           \
      check()                                                                            \
    }
proctype Connection(byte w) {
end:
  do
  :: d_step { /* a connect that fails changes nothing, so it is no step of its own */
      link[w] == Down && mode != Closed ->
      printf("connection %d stands\n", w);
      link[w] = Up;
      check()
    }
  EACH_BATCH(ANSWER)
  :: d_step { /* lost; with nothing in flight, also a rotation, or an idle close by the peer */
      link[w] != Down && may_misbehave(w) ->
      printf("connection %d is lost\n", w);
      misbehave();
      lost(w);
      check()
    }
  :: d_step {
      link[w] != Down && !stalled[w] && in_flight(w) > 0 && may_misbehave(w) ->
      printf("connection %d stalls, alive\n", w);
      misbehave();
      stalled[w] = 1;
      check()
    }
  :: d_step {
      owed.events != 0 && owed.who == w ->
      printf("connection %d acks batch %d, late\n", w, owed.what);
      late_ack();
      check()
    }
  :: d_step {
      owed.events != 0 && owed.who == w ->
      printf("connection %d fails batch %d, late\n", w, owed.what);
      late_failure();
      check()
    }
  od
}

/* The wait in the queue, which is limited too: due whenever nobody can draw. */
#define nobody_draws(b, w) (!can_draw(b, w))
#define WAIT(b)                                                                       \
  :: d_step {                                                                         \
      batch[b].state == Queued && !guaranteed(b) && OVER_WORKERS(nobody_draws, b, &&) -> \
      printf("batch %d has waited in vain\n", b);                                     \
      MET_IF(batch[b].left == 1, waits_used_up_the_attempts);                         \
      batch[b].spent++;                                                               \
      batch[b].left = batch[b].left - !planted(PLANT_NO_LIMIT_ON_WAITING);            \
      drop_if_used_up(b);                                                             \
      check()                                                                         \
    }
proctype Waits() {
end:
  do
  EACH_BATCH(WAIT)
  od
}

/* Drains and closes whenever it likes; what is in flight when close comes may be answered later. A drain closes when
 * nothing is left, or at its deadline. */
#define may_close (mode == Running || (mode == Draining && DEADLINE))
#define CLOSE_OWING(b, w)                                                          \
  :: d_step {                                                                      \
      may_close && live(b, w) && owed.events == 0 ->           \
      printf("close, with an answer to come for batch %d from %d\n", b, w);        \
      owe(b, w);                                                                   \
      close();                                                                     \
      check()                                                                      \
    }
#if WORKERS == 1
#define CLOSE_OWING_FROM_ANY(b) CLOSE_OWING(b, 0)
#elif WORKERS == 2
#define CLOSE_OWING_FROM_ANY(b) CLOSE_OWING(b, 0) CLOSE_OWING(b, 1)
#elif WORKERS == 3
#define CLOSE_OWING_FROM_ANY(b) CLOSE_OWING(b, 0) CLOSE_OWING(b, 1) CLOSE_OWING(b, 2)
#endif
proctype Owner() {
end:
  do
  :: d_step {
      mode == Running ->
      printf("drain\n");
      mode = Draining;
      for (i : 0 .. BATCHES - 1) {
        if
        :: planted(PLANT_DRAIN_SPENDS_ATTEMPT) && batch[i].state == Queued && limited(i) ->
          batch[i].left--;
          drop_if_used_up(i)
        :: else
        fi
      };
      check()
    }
  :: d_step {
      may_close || (mode == Draining && unfinished == 0) ->
      printf("close\n");
      close();
      check()
    }
  EACH_BATCH(CLOSE_OWING_FROM_ANY)
  od
}

/* Time passes even where nothing else happens. Fairness is about endless runs: without this a run that gets stuck would
 * end, and spin would not blame it. */
proctype Clock() {
end:
  do
  :: _nr_pr > 0 /* always; spin refuses a plain `true` here */
  od
}

init {
  atomic {
    byte n;
    for (n : 0 .. PUBLISHES - 1) {
      run Publisher(n)
    };
    for (n : 0 .. WORKERS - 1) {
      run Worker(n);
      run Connection(n)
    };
    run Waits();
    if
    :: OWNER -> run Owner()
    :: else
    fi;
    if
    :: TIME -> run Clock()
    :: else
    fi;
    n = 0
  }
}

/* Once faults end, or where one connection is healthy, every publish is refused or signalled, and a drain ends. (That a
 * signal comes once and stays the only one is what the assertions say.) */
#define heard(b, unused) (publish[publish_of(b)] == Refused || signals[publish_of(b)] > 0)
ltl everyone_hears { <> [] (OVER_BATCHES(heard, 0, &&) && mode != Draining) }
