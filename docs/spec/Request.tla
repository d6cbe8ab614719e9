------------------------------- MODULE Request -------------------------------
(* A cancellation request for one unit, which the back office decides, or the *)
(* OMS in its own queue; with its deliveries into that queue, one a round,     *)
(* and the reporting of our staff's decision.                                  *)
(*                                                                             *)
(* Assumed: a process dies between any two steps; a creation or its answer is  *)
(* lost, but does not arrive after the grace (Over); the OMS may make as many  *)
(* requests as it is asked for, and approve each of them. What comes later     *)
(* still is a spare, which is rejected and raises an alarm (decision 30).      *)
(* Code: actions/requests/deliver_request, read_created, approve_request,      *)
(* reject_request, actions/sync/sync_order; moves: cancellations/states.py.    *)
EXTENDS Naturals, FiniteSets

CONSTANTS Rounds,    \* so many deliveries at most
          Mutation   \* what is left out, to show that it is needed; "none"

VARIABLES status,    \* of the request, as its row says
          decided,   \* who has decided it: "nobody", "staff" or "oms"
          delivery,  \* of each round, as its row says; "none" before it
          reported,  \* our staff's decision, to the OMS: "none", "due", "known"
          approval,  \* the submission that an approval sends: "none", "prepared", "sent"
          wire,      \* creations under way, by round
          queue,     \* what the OMS has: <<round, number, decision>>
          command,   \* an approval's command at the OMS: "none", "under way", "taken", "lost"
          over,      \* rounds whose grace is over
          stray      \* whether an approval was given up whose process may only stand still

vars == <<status, decided, delivery, reported, approval, wire, queue, command, over, stray>>

RequestMoves ==
  { <<"verifying", "confirmed">>, <<"verifying", "waiting">>,
    <<"waiting", "approved">>, <<"waiting", "waiting_approval">>, <<"waiting", "confirmed">>,
    <<"waiting", "verifying">>, <<"waiting", "completed">>, <<"waiting", "rejected">>,
    <<"waiting_approval", "approved">>, <<"waiting_approval", "confirmed">>,
    <<"waiting_approval", "completed">>, <<"waiting_approval", "rejected">>,
    <<"approved", "waiting">>, <<"approved", "waiting_approval">>, <<"approved", "confirmed">>,
    <<"approved", "verifying">>, <<"approved", "completed">>, <<"approved", "rejected">>,
    <<"confirmed", "waiting_approval">>, <<"confirmed", "approved">>,
    <<"confirmed", "completed">>, <<"confirmed", "rejected">>,
    <<"rejected", "completed">> }

DeliveryMoves ==
  { <<"created", "sent">>, <<"created", "withdrawn">>, <<"created", "failed">>,
    <<"sent", "created">>, <<"sent", "known">>, <<"sent", "withdrawn">>, <<"sent", "failed">>,
    <<"known", "withdrawn">>, <<"failed", "withdrawn">>, <<"failed", "created">> }

NoticeMoves == { <<"due", "known">>, <<"known", "due">> }

All == 1..Rounds
OmsStatuses == {"waiting_approval", "confirmed", "approved"}
Begun == {r \in All : delivery[r] # "none"}
Round == CHOOSE r \in Begun : \A q \in Begun : q <= r
Of(r) == {row \in queue : row[1] = r}
Approved == {row \in queue : row[3] = "approved"}

Init == /\ status = "waiting"
        /\ decided = "nobody"
        /\ delivery = [r \in All |-> IF r = 1 THEN "created" ELSE "none"]
        /\ reported = "none" /\ approval = "none" /\ command = "none"
        /\ wire = {} /\ queue = {} /\ over = {} /\ stray = FALSE

Move(after) == <<status, after>> \in RequestMoves /\ status' = after
Deliver(r, after) == /\ <<delivery[r], after>> \in DeliveryMoves
                     /\ delivery' = [delivery EXCEPT ![r] = after]

-------------------------------------------------------------------------------
(* Delivery *)

(* Committed before the creation leaves, and only by whom holds the round. *)
Send(r) == /\ r \in Begun
           /\ r = Round
           /\ status = "waiting" /\ Of(r) = {}
           /\ \/ Deliver(r, "sent")
              \/ Mutation = "no sent mark" /\ delivery[r] = "created" /\ UNCHANGED delivery
              \/ Mutation = "retried POST" /\ delivery[r] = "sent" /\ UNCHANGED delivery
           /\ wire' = wire \cup {<<r, Cardinality({w \in wire : w[1] = r})>>}
           /\ over' = over \ {r}
           /\ UNCHANGED <<status, decided, reported, approval, queue, command, stray>>

(* One round is under way at a time: a unique index. *)
Again(r) == /\ Mutation = "no unique index" /\ status = "waiting" /\ r = Round + 1 /\ r <= Rounds
            /\ delivery' = [delivery EXCEPT ![r] = "created"]
            /\ UNCHANGED <<status, decided, reported, approval, wire, queue, command, over, stray>>

(* Looked for under its name. That nothing is there tells something only after the grace. *)
(* What is found after a rejection was reported was perhaps not there: it is due again.   *)
Find(r) == /\ r \in Begun /\ Of(r) # {} /\ Deliver(r, "known")
           /\ reported' = IF reported = "known" /\ status = "rejected" THEN "due" ELSE reported
           /\ UNCHANGED <<status, decided, approval, wire, queue, command, over, stray>>

Miss(r) == /\ r \in Begun /\ delivery[r] = "sent"
           /\ ((Of(r) = {} /\ r \in over) \/ Mutation = "failed reading is absence")
           /\ Deliver(r, "created")
           /\ UNCHANGED <<status, decided, reported, approval, wire, queue, command, over, stray>>

(* The OMS says no: it stays with our staff. *)
Fail(r) == /\ r \in Begun /\ status = "waiting" /\ delivery[r] \in {"created", "sent"}
           /\ Of(r) = {} /\ {w \in wire : w[1] = r} = {}
           /\ Deliver(r, "failed")
           /\ UNCHANGED <<status, decided, reported, approval, wire, queue, command, over, stray>>

-------------------------------------------------------------------------------
(* The OMS *)

Make(w) == /\ w \in wire
           /\ wire' = wire \ {w}
           /\ queue' = queue \cup {<<w[1], Cardinality(Of(w[1])), "undecided">>}
           /\ UNCHANGED <<status, decided, delivery, reported, approval, command, over, stray>>

Lose(w) == /\ w \in wire
           /\ wire' = wire \ {w}
           /\ UNCHANGED <<status, decided, delivery, reported, approval, queue, command, over, stray>>

Grace(r) == /\ r \in Begun \ over /\ delivery[r] = "sent" /\ {w \in wire : w[1] = r} = {}
            /\ over' = over \cup {r}
            /\ UNCHANGED <<status, decided, delivery, reported, approval, wire, queue, command, stray>>

Decide(row, how) == /\ row \in queue /\ row[3] = "undecided"
                    /\ queue' = (queue \ {row}) \cup {<<row[1], row[2], how>>}

OmsDecides == /\ \E row \in queue, how \in {"approved", "rejected"} : Decide(row, how)
              /\ UNCHANGED <<status, decided, delivery, reported, approval, wire, command, over, stray>>

CommandEnds == /\ command = "under way" /\ command' \in {"taken", "lost"}
               /\ UNCHANGED <<status, decided, delivery, reported, approval, wire, queue, over, stray>>

-------------------------------------------------------------------------------
(* Reading orders *)

Progress == /\ decided = "nobody" /\ delivery[Round] = "known" /\ status \in OmsStatuses \cup {"waiting"}
            /\ \E row \in Of(Round) : row[3] = "undecided"
            /\ \E after \in OmsStatuses : Move(after)
            /\ UNCHANGED <<decided, delivery, reported, approval, wire, queue, command, over, stray>>

Book == /\ (decided # "staff" \/ status = "confirmed")
        /\ \/ /\ delivery[Round] = "known" /\ status \notin {"completed", "rejected", "verifying"}
              /\ \A row \in Of(Round) : row[3] # "undecided"
              /\ Move(IF \E row \in Of(Round) : row[3] = "approved" THEN "completed" ELSE "rejected")
           \/ command = "taken" /\ status = "confirmed" /\ Move("completed")
        /\ decided' = IF decided = "nobody" THEN "oms" ELSE decided
        /\ UNCHANGED <<delivery, reported, approval, wire, queue, command, over, stray>>

-------------------------------------------------------------------------------
(* Our staff *)

(* With no round left the model's staff approves no more. *)
Approve == /\ decided = "nobody" /\ status = "waiting" /\ delivery[Round] # "withdrawn"
           /\ Move("approved") /\ decided' = "staff"
           /\ UNCHANGED <<delivery, reported, approval, wire, queue, command, over, stray>>

(* Nothing can come any more of what was sent: found, or missed after the grace. *)
Settled(r) == delivery[r] # "sent" \/ Of(r) # {} \/ r \in over

(* What the OMS has decided stands: then the approval came too late. *)
TakeBack == /\ decided = "staff" /\ status = "approved" /\ approval = "none"
            /\ delivery[Round] = "known" /\ \E row \in Of(Round) : row[3] = "approved"
            /\ Move("confirmed") /\ decided' = "nobody"
            /\ UNCHANGED <<delivery, reported, approval, wire, queue, command, over, stray>>

Withdraw == /\ decided = "staff" /\ status = "approved" /\ approval = "none"
            /\ Settled(Round) /\ \A row \in Of(Round) : row[3] # "approved"
            /\ queue' = {IF row[1] = Round THEN <<row[1], row[2], "rejected">> ELSE row : row \in queue}
            /\ Deliver(Round, "withdrawn")
            /\ approval' = "prepared"
            /\ UNCHANGED <<status, decided, reported, wire, command, over, stray>>

SendApproval == /\ approval = "prepared" /\ approval' = "sent" /\ command' = "under way"
                /\ UNCHANGED <<status, decided, delivery, reported, wire, queue, over, stray>>

(* The submission's end (Submission.tla): applied, unknown, or refused and waiting anew. *)
Hold == /\ approval = "sent" /\ status = "approved" /\ Move("verifying")
        /\ UNCHANGED <<decided, delivery, reported, approval, wire, queue, command, over, stray>>

Confirm == /\ approval = "sent" /\ command = "taken" /\ status \in {"approved", "verifying"}
           /\ Move("confirmed")
           /\ UNCHANGED <<decided, delivery, reported, approval, wire, queue, command, over, stray>>

Bounce == /\ \/ approval = "sent" /\ command = "lost"
             \/ approval = "prepared"
          /\ status \in {"approved", "verifying"} /\ Move("waiting") /\ decided' = "nobody"
          /\ approval' = "none" /\ command' = "none" /\ stray' = (approval = "prepared")
          /\ delivery' = [r \in All |-> IF r = Round + 1 /\ delivery[Round] = "withdrawn" THEN "created"
                                     ELSE IF r = Round /\ delivery[r] = "failed" THEN "created"
                                     ELSE delivery[r]]
          /\ UNCHANGED <<reported, wire, queue, over>>

(* What was given up has left only now: it is looked for again, while nothing else was begun. *)
HoldLate == /\ stray /\ stray' = FALSE
            /\ IF status = "waiting" /\ delivery[Round] \in {"created", "failed"}
               THEN Move("verifying") /\ approval' = "sent" /\ command' = "under way"
               ELSE UNCHANGED <<status, approval, command>>
            /\ UNCHANGED <<decided, delivery, reported, wire, queue, over>>

Reject == /\ decided = "nobody" /\ status = "waiting"
          /\ Move("rejected") /\ decided' = "staff" /\ reported' = "due"
          /\ UNCHANGED <<delivery, approval, wire, queue, command, over, stray>>

(* The OMS is told, once nothing can come any more; where it was quicker, its decision stands. *)
Report == /\ reported = "due"
          /\ Settled(Round)
          /\ reported' = "known"
          /\ queue' = {IF row[3] = "undecided" THEN <<row[1], row[2], "rejected">> ELSE row : row \in queue}
          /\ IF Approved # {} THEN Move("completed") ELSE UNCHANGED status
          /\ IF delivery[Round] = "created" THEN Deliver(Round, "withdrawn") ELSE UNCHANGED delivery
          /\ UNCHANGED <<decided, approval, wire, command, over, stray>>

-------------------------------------------------------------------------------
Delivers == \E r \in All : Send(r) \/ Again(r) \/ Find(r) \/ Miss(r)
Works == \/ Book \/ TakeBack \/ Withdraw \/ SendApproval \/ Confirm \/ Report
         \/ (command = "lost" /\ Bounce)
World == (\E w \in wire : Make(w) \/ Lose(w)) \/ CommandEnds \/ \E r \in All : Grace(r)

Next == \/ Delivers \/ Works \/ World \/ OmsDecides \/ Progress \/ Approve \/ Reject \/ Hold \/ HoldLate \/ Bounce
        \/ \E r \in All : Fail(r)

Spec == /\ Init /\ [][Next]_vars
        /\ WF_vars(Works) /\ WF_vars(World)
        /\ \A r \in All : WF_vars(Find(r)) /\ WF_vars(Miss(r)) /\ WF_vars(Send(r))

TypeOK == /\ status \in {"verifying", "waiting", "waiting_approval", "confirmed", "approved",
                         "completed", "rejected"}
          /\ \A r \in All : delivery[r] \in {"none", "created", "sent", "known", "withdrawn", "failed"}
          /\ reported \in {"none", "due", "known"}

NoUnitTwice == Cardinality(Approved) + (IF command = "taken" THEN 1 ELSE 0) <= 1

(* Whatever the OMS has of us is known by its name in a row. *)
NothingUnnamed == \A row \in queue : delivery[row[1]] # "created" \/ row[3] = "rejected"

LegalMoves == [][status' # status => <<status, status'>> \in RequestMoves]_vars
LegalNotices == [][reported' # reported /\ reported # "none" => <<reported, reported'>> \in NoticeMoves]_vars
LegalDeliveries == [][\A r \in All : delivery'[r] # delivery[r] /\ delivery[r] # "none" =>
                       <<delivery[r], delivery'[r]>> \in DeliveryMoves]_vars

NothingForgotten == (Approved # {} \/ command = "taken") ~> (status = "completed")
Reported == (reported = "due") ~> (reported = "known")
NothingStuck == []<>(status \in {"waiting", "waiting_approval", "confirmed", "approved", "completed", "rejected"}
                     /\ ~(status = "approved" /\ decided = "staff"))
===============================================================================
