------------------------------ MODULE Submission ------------------------------
(* A customer asks for one unit of an item, and submissions take that to the *)
(* OMS, one after the other: the first directly, later ones as approvals.     *)
(*                                                                            *)
(* Assumed of the world: the OMS has no idempotency key; a process dies or    *)
(* stands still for any time between any two steps; a POST or its answer is   *)
(* lost, or comes as late as it likes; the OMS takes a unit at most once.     *)
(* Code: cancel_items, send_submission, settle_submission,                    *)
(* verify_submission, apply_late in actions/cancel, actions/upkeep/recover;   *)
(* moves: cancellations/states.py.                                            *)
EXTENDS Naturals, FiniteSets

CONSTANTS Count,     \* so many submissions at most, numbered in their order
          Units,     \* what the OMS has of the item; one of them is wanted
          Nobody,
          Mutation   \* what is left out, to show that it is needed; "none"

Submissions == 1..Count

VARIABLES state,     \* of each submission, as its row says
          command,   \* the units that its row says it named; {} before the mark
          unproven,  \* marked as sent, and never answered
          done,      \* whether the customer's line is completed
          step,      \* how far the process that sends it has come
          plan,      \* the units that this process is to name
          wire,      \* POSTs under way, as <<submission, unit>>
          reply,     \* what the OMS has answered, while the process waits
          takenBy    \* which submission the OMS has cancelled each unit for

vars == <<state, command, unproven, done, step, plan, wire, reply, takenBy>>
rows == <<state, command, unproven, done>>
process == <<step, plan, reply>>
oms == <<wire, takenBy>>

Moves == { <<"prepared", "sent">>, <<"prepared", "refused">>,
           <<"sent", "applied">>, <<"sent", "refused">>, <<"sent", "unknown">>,
           <<"unknown", "applied">>, <<"unknown", "refused">> }

LateMoves == { <<"prepared", "applied">>, <<"refused", "applied">>,
               <<"refused", "unknown">> }

UnderWay == {"prepared", "sent", "unknown"}

Taken == {u \in Units : takenBy[u] # Nobody}
Begun == {s \in Submissions : state[s] # "none"}
HasArrived(s) == state[s] = "refused" /\ command[s] \cap Taken # {}
Carrier == CHOOSE s \in Begun : \A t \in Begun : t <= s

Init == /\ state = [s \in Submissions |-> "none"]
        /\ command = [s \in Submissions |-> {}]
        /\ unproven = {}
        /\ done = FALSE
        /\ step = [s \in Submissions |-> "idle"]
        /\ plan = [s \in Submissions |-> {}]
        /\ wire = {}
        /\ reply = [s \in Submissions |-> "none"]
        /\ takenBy = [u \in Units |-> Nobody]

(* An UPDATE that names the states before: whoever comes second changes nothing. *)
Claim(s, after, legal) == /\ <<state[s], after>> \in legal
                          /\ state' = [state EXCEPT ![s] = after]

Go(s, place) == step' = [step EXCEPT ![s] = place]

-------------------------------------------------------------------------------
(* The process that sends *)

(* The unique index lets one line of an item be open, and it has one carrier. *)
Prepare(s) == /\ state[s] = "none"
              /\ \A t \in 1..(s - 1) : state[t] # "none"
              /\ ~done
              /\ \A t \in Begun : state[t] = "refused" \/ Mutation = "no unique index"
              /\ state' = [state EXCEPT ![s] = "prepared"]
              /\ Go(s, "planning")
              /\ UNCHANGED <<command, unproven, done, plan, reply, oms>>

(* What an unanswered command has named is named again: of the two, the OMS takes one. *)
Plan(s) == /\ step[s] = "planning"
           /\ ~\E t \in unproven \ {s} : HasArrived(t)
           /\ \E u \in Units \ Taken :
                /\ LET again == UNION {command[t] : t \in unproven \ {s}} \ Taken
                   IN again = {} \/ u \in again
                /\ plan' = [plan EXCEPT ![s] = {u}]
           /\ Go(s, "planned")
           /\ UNCHANGED <<rows, reply, oms>>

(* It has arrived before anything was sent: an earlier command's success is ours. *)
Adopt(s) == /\ step[s] = "planning" /\ s = Carrier
            /\ \E t \in unproven \ {s} :
                 /\ HasArrived(t)
                 /\ Claim(s, "applied", LateMoves)
                 /\ command' = [command EXCEPT ![s] = command[t]]
                 /\ unproven' = unproven \ {t}
            /\ Go(s, "over")
            /\ UNCHANGED <<done, plan, reply, oms>>

(* Committed before the POST; not while another may still arrive. *)
Mark(s) == /\ step[s] = "planned"
           /\ IF Mutation = "no sent mark" THEN UNCHANGED <<state, command, unproven>> ELSE
                /\ \A t \in Begun \ {s} : state[t] \notin {"sent", "unknown"}
                /\ Claim(s, "sent", Moves)
                /\ command' = [command EXCEPT ![s] = plan[s]]
                /\ unproven' = unproven \cup {s}
           /\ Go(s, "marked")
           /\ UNCHANGED <<done, plan, reply, oms>>

(* Looked at once more right before the POST; the process may stand still after that, too. *)
Look(s) == /\ step[s] = "marked"
           /\ state[s] = "sent" \/ Mutation = "no sent mark"
           /\ Go(s, "looked")
           /\ UNCHANGED <<rows, plan, reply, oms>>

Post(s) == /\ step[s] = "looked"
           /\ wire' = wire \cup ({s} \X plan[s])
           /\ Go(s, "waiting")
           /\ UNCHANGED <<rows, plan, reply, takenBy>>

Retry(s) == /\ Mutation = "retried POST"
            /\ step[s] = "waiting"
            /\ \E u \in Units \ Taken : plan' = [plan EXCEPT ![s] = {u}]
            /\ Go(s, "looked")
            /\ UNCHANGED <<rows, reply, oms>>

Answered(s) == /\ step[s] = "waiting" /\ reply[s] # "none"
               /\ Claim(s, IF reply[s] = "yes" THEN "applied" ELSE "refused", Moves)
               /\ unproven' = unproven \ {s}
               /\ Go(s, "over")
               /\ UNCHANGED <<command, done, plan, reply, oms>>

(* No answer: unknown. Where it was given up meanwhile it has left only now: that begins again. *)
Unanswered(s) == /\ step[s] = "waiting"
                 /\ \/ Claim(s, "unknown", Moves) /\ UNCHANGED unproven
                    \/ s = Carrier /\ ~done /\ state[s] = "refused"
                       /\ Claim(s, "unknown", LateMoves) /\ unproven' = unproven \cup {s}
                    \/ s # Carrier /\ state[s] = "refused"
                       /\ unproven' = unproven \cup {s} /\ UNCHANGED state
                 /\ Go(s, "over")
                 /\ UNCHANGED <<command, done, plan, reply, oms>>

Die(s) == /\ step[s] \notin {"idle", "over"}
          /\ Go(s, "over")
          /\ UNCHANGED <<rows, plan, reply, oms>>

-------------------------------------------------------------------------------
(* The worker, who cannot tell a process that is dead from one that stands still *)

Recover(s) == /\ \/ state[s] = "prepared" /\ Claim(s, "refused", Moves)
                 \/ state[s] = "sent" /\ Claim(s, "unknown", Moves)
              /\ UNCHANGED <<command, unproven, done, process, oms>>

FindApplied(s) == /\ state[s] = "unknown" /\ command[s] \cap Taken # {}
                  /\ Claim(s, "applied", Moves)
                  /\ unproven' = unproven \ {s}
                  /\ UNCHANGED <<command, done, process, oms>>

(* A reading shows nothing. That does not prove that it never arrives: it stays unproven. *)
Release(s) == /\ state[s] = "unknown"
              /\ command[s] \cap Taken = {} \/ Mutation = "failed reading is absence"
              /\ Claim(s, "refused", Moves)
              /\ UNCHANGED <<command, unproven, done, process, oms>>

(* What was given up has arrived: it counts for whatever carries the line now. *)
TakeLate(s) == /\ s \in unproven /\ HasArrived(s)
               /\ state[Carrier] = "refused"
               /\ Claim(Carrier, "applied", LateMoves)
               /\ command' = [command EXCEPT ![Carrier] = command[s]]
               /\ unproven' = unproven \ {s}
               /\ UNCHANGED <<done, process, oms>>

(* The process that was taken for dead brings the OMS's success home itself. While the line's *)
(* carrier is on its way it stays unproven: that one may still be refused because of it.       *)
NoteLate(s) == /\ step[s] = "waiting" /\ reply[s] = "yes" /\ state[s] = "refused"
               /\ IF state[Carrier] \in {"prepared", "refused"}
                  THEN /\ Claim(Carrier, "applied", LateMoves)
                       /\ command' = [command EXCEPT ![Carrier] = command[s]]
                  ELSE UNCHANGED <<state, command>>
               /\ unproven' = IF state[Carrier] \in {"sent", "unknown"} THEN unproven ELSE unproven \ {s}
               /\ Go(s, "over")
               /\ UNCHANGED <<done, plan, reply, oms>>

(* An order's reading: what was named is cancelled, whoever did it. *)
Complete == /\ Begun # {} /\ ~done
            /\ state[Carrier] \notin UnderWay /\ command[Carrier] \cap Taken # {}
            /\ done' = TRUE
            /\ UNCHANGED <<state, command, unproven, process, oms>>

-------------------------------------------------------------------------------
(* The OMS and the line to it *)

OmsTakes(s, u) == /\ <<s, u>> \in wire
                  /\ takenBy' = IF takenBy[u] = Nobody THEN [takenBy EXCEPT ![u] = s] ELSE takenBy
                  /\ reply' = [reply EXCEPT ![s] = IF takenBy[u] = Nobody THEN "yes" ELSE "no"]
                  /\ wire' = wire \ {<<s, u>>}
                  /\ UNCHANGED <<rows, step, plan>>

Lose(s, u) == /\ <<s, u>> \in wire
              /\ wire' = wire \ {<<s, u>>}
              /\ UNCHANGED <<rows, process, takenBy>>

-------------------------------------------------------------------------------
Sends(s) == \/ Prepare(s) \/ Plan(s) \/ Adopt(s) \/ Mark(s) \/ Look(s) \/ Post(s)
            \/ Retry(s) \/ Answered(s) \/ Unanswered(s) \/ NoteLate(s) \/ Die(s)
Works(s) == Recover(s) \/ FindApplied(s) \/ Release(s) \/ TakeLate(s)
Oms == \E s \in Submissions, u \in Units : OmsTakes(s, u) \/ Lose(s, u)

Next == Complete \/ Oms \/ \E s \in Submissions : Sends(s) \/ Works(s)

(* The worker always comes back. Nothing is asked of processes, of the line, or of the OMS. *)
Spec == Init /\ [][Next]_vars /\ WF_vars(Complete) /\ \A s \in Submissions : WF_vars(Works(s))

TypeOK == /\ \A s \in Submissions : state[s] \in {"none", "applied", "refused"} \cup UnderWay
          /\ unproven \subseteq Submissions
          /\ wire \subseteq Submissions \X Units

NoUnitTwice == Cardinality(Taken) <= 1

LegalMoves == [][\A s \in Submissions : state'[s] # state[s] /\ state[s] # "none" =>
                   <<state[s], state'[s]>> \in Moves \cup LateMoves]_vars

(* What a reading gives up was not there when it was read. *)
TrueReleases == [][\A s \in unproven' : state[s] = "unknown" /\ state'[s] = "refused" =>
                     command[s] \cap Taken = {}]_vars

NothingForgotten == (Taken # {}) ~> done
NothingStuck == \A s \in Submissions : []<>(state[s] \notin UnderWay)
===============================================================================
