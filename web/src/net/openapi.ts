// SPDX-License-Identifier: MIT
/* Generated from docs/openapi.json by web/api_types. Do not edit: npm run types. */

export interface paths {
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell that the process runs */
        get: operations["tellThatTheProcessRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell whether requests can be served */
        get: operations["tellWhetherRequestsCanBeServed"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell whether requests can be served (old name) */
        get: operations["tellWhetherRequestsCanBeServed(oldName)"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/version": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell the version */
        get: operations["tellTheVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell the metrics */
        get: operations["tellTheMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Explain a problem type */
        get: operations["explainAProblemType"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Describe this API */
        get: operations["describeThisApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signin-link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in by a one time link */
        post: operations["signInByAOneTimeLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell who is signed in */
        get: operations["tellWhoIsSignedIn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign out */
        post: operations["signOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List where one is signed in */
        get: operations["listWhereOneIsSignedIn"];
        put?: never;
        post?: never;
        /** Sign out everywhere */
        delete: operations["signOutEverywhere"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one session */
        delete: operations["endOneSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List API tokens */
        get: operations["listApiTokens"];
        put?: never;
        /** Make an API token */
        post: operations["makeAnApiToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an API token */
        delete: operations["revokeAnApiToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List projects */
        get: operations["listProjects"];
        put?: never;
        /** Make a project */
        post: operations["makeAProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a project */
        get: operations["readAProject"];
        put?: never;
        post?: never;
        /** Delete a project */
        delete: operations["deleteAProject"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a project */
        post: operations["startAProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a project */
        post: operations["stopAProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restart a project */
        post: operations["restartAProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete a project
         * @description As `DELETE /api/projects/{id}`, for clients that know it by this name.
         */
        post: operations["deleteAProjectByPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/sandbox/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a sandbox
         * @description As `POST /api/projects/{id}/start`, for clients that know it by this name.
         */
        post: operations["startASandbox"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/sandbox/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a sandbox
         * @description As `POST /api/projects/{id}/stop`, for clients that know it by this name.
         */
        post: operations["stopASandbox"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/sandbox/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a sandbox's status
         * @description What `GET /api/sandbox/{projectId}` tells, in short, for clients that know it by this name.
         */
        get: operations["readASandboxsStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/environment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List variables */
        get: operations["listVariables"];
        put?: never;
        /** Write variables */
        post: operations["writeVariables"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/environment/{envId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change a variable's value */
        put: operations["changeAVariableSValue"];
        post?: never;
        /** Remove a variable */
        delete: operations["removeAVariable"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/github/repositories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the user's repositories at GitHub
         * @description The user's own, and those of organizations and of others that the user works on. GitHub is asked each time, with the token of the user's last sign-in there. `code` of refusals: GitHubSignInNeeded (sign in with GitHub again), GitHubAccountMissing (this account has never come by GitHub), GitHubNotConfigured: 409; GitHubDenied: 403; GitHubRateLimited, GitHubUnavailable: 503.
         */
        get: operations["listRepositoriesAtGitHub"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/clusters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List clusters */
        get: operations["listClusters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sandbox/{projectId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a sandbox */
        get: operations["readASandbox"];
        put?: never;
        /** Create a sandbox, or retry */
        post: operations["createASandboxOrRetry"];
        /** Terminate or cancel a sandbox */
        delete: operations["terminateOrCancelASandbox"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sandbox/{projectId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Stream a sandbox's events */
        get: operations["streamASandboxSEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Stream the events of all projects */
        get: operations["streamTheEventsOfAllProjects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a project's limits */
        get: operations["readAProjectSLimits"];
        /** Set a project's limits */
        put: operations["setAProjectSLimits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/activity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that a project is used */
        post: operations["sayThatAProjectIsUsed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List ways of signing in */
        get: operations["listWaysOfSigningIn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the page for signing in */
        get: operations["showThePageForSigningIn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/signin/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the page for signing in with a provider */
        get: operations["showThePageForSigningInWithAProvider"];
        put?: never;
        /** Begin to sign in with a provider */
        post: operations["beginToSignInWithAProvider"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/callback/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** End signing in with a provider */
        get: operations["endSigningInWithAProvider"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/csrf": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a token that clients of the original ask for */
        get: operations["getATokenThatClientsOfTheOriginalAskFor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/device/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to sign in a program */
        post: operations["beginToSignInAProgram"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/device/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask whether a program is signed in */
        post: operations["askWhetherAProgramIsSignedIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/device": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read what a program asks for */
        get: operations["readWhatAProgramAsksFor"];
        put?: never;
        /** Allow or deny a program */
        post: operations["allowOrDenyAProgram"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Lock a user out */
        delete: operations["lockAUserOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/orphans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what no row needs */
        get: operations["listWhatNoRowNeeds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell who asked for which change */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List everybody's projects */
        get: operations["listProjectsOfAll"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List users */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell about a user */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Make a user an administrator, or no more */
        patch: operations["setRole"];
        trace?: never;
    };
    "/api/projects/{id}/sync-database": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell how to reach the database */
        get: operations["tellHowToReachTheDatabase"];
        put?: never;
        /** Tell how to reach the database, as clients of the original ask */
        post: operations["tellHowToReachTheDatabaseAsClientsOfTheOriginalAsk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{id}/github": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tell which repository at GitHub a project is connected with */
        get: operations["tellTheRepositoryOfAProject"];
        put?: never;
        /**
         * Connect a project with a repository at GitHub, or create one for it
         * @description GitHub is asked with the token of the user's last sign-in there. `code` of refusals: GitHubSignInNeeded (sign in with GitHub again), GitHubAccountMissing (this account has never come by GitHub), GitHubNotConfigured, RepositoryExists, AlreadyConnected, CreationUnknown (the same request again finds out what became of it), Disconnected: 409; GitHubDenied: 403; RepositoryMissing, RepositoryOwnerMissing: 404; RepositoryRefused: 422; GitHubRateLimited, GitHubUnavailable: 503.
         */
        post: operations["connectAProjectWithARepository"];
        /** Disconnect a project from its repository; nothing is removed at GitHub */
        delete: operations["disconnectAProjectFromItsRepository"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What is true now: the row's state, corrected by what the cluster shows.
         * @enum {string}
         */
        SandboxState: "creating" | "starting" | "running" | "stopping" | "stopped" | "error" | "terminating" | "terminated";
        /**
         * @description The row's state.
         * @enum {string}
         */
        SandboxStatus: "CREATING" | "STARTING" | "RUNNING" | "STOPPING" | "STOPPED" | "ERROR" | "TERMINATING" | "TERMINATED";
        /** @enum {string} */
        StageId: "database" | "container" | "networking" | "terminal" | "ready";
        /** @enum {string} */
        StageStatus: "pending" | "in_progress" | "completed" | "failed" | "skipped";
        /** @enum {string} */
        Outcome: "ready" | "failed" | "cancelled" | "stopped" | "terminated" | "deleted";
        /** @enum {string} */
        Desired: "running" | "stopped" | "terminated" | "deleted" | "detached";
        /** @enum {string} */
        Action: "start" | "stop" | "restart" | "delete";
        /**
         * @description Why something waits or failed.
         * @enum {string}
         */
        Reason: "IMAGE_PULL" | "UNSCHEDULABLE" | "QUOTA_EXCEEDED" | "PVC_PENDING" | "CRASH_LOOP" | "DB_CLUSTER_FAILED" | "DB_SECRET_MISSING" | "DB_UNREACHABLE" | "INGRESS_CONFLICT" | "TERMINAL_NO_ANSWER" | "DEADLINE" | "CANCELLED" | "FORBIDDEN" | "FINALIZER" | "CLUSTER_UNREACHABLE" | "INVALID" | "CONFLICT" | "IDLE_SOON" | "AGE_SOON" | "IDLE_STOP" | "AGE_STOP" | "DRIFT";
        Failure: {
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
        };
        Sandbox: {
            id: string;
            /** Format: uri */
            publicUrl: string;
            /** Format: uri */
            ttydUrl: string;
            status?: components["schemas"]["SandboxStatus"];
        };
        ProjectSandbox: {
            id: string;
            status: components["schemas"]["SandboxState"];
            /** Format: uri */
            publicUrl: string;
            /** Format: uri */
            ttydUrl: string;
            attempt: number;
            /** Format: date-time */
            startedAt: string | null;
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            actions: components["schemas"]["Action"][];
            queue: components["schemas"]["QueuePlace"] | null;
        };
        Project: {
            id: string;
            name: string;
            description: string | null;
            cluster: string;
            userId: string;
            githubRepo: string | null;
            /** @description Never told here: it holds a password. See sync-database. */
            databaseUrl: null;
            /** @enum {string} */
            status: "READY" | "DEPLOYING" | "DEPLOYED" | "ERROR";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            sandbox: components["schemas"]["ProjectSandbox"] | null;
        };
        ProjectWish: {
            name: string;
            /** @description At most 2000 bytes of UTF-8. */
            description?: string;
            /** @description A name of GET /api/clusters; the default one if absent. At most 63 bytes of UTF-8. */
            cluster?: string;
        };
        Stage: {
            id: components["schemas"]["StageId"];
            title: string;
            description: string;
            status: components["schemas"]["StageStatus"];
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            /** Format: date-time */
            startedAt: string | null;
            /** Format: date-time */
            endedAt: string | null;
            durationMs: number | null;
            /** @description Median of the last 50 that completed. */
            usualMs: number | null;
        };
        SandboxDocument: {
            /** @constant */
            status: "not_created";
            message: string;
        } | {
            status: components["schemas"]["SandboxState"];
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            sandbox: components["schemas"]["Sandbox"];
            attempt: number;
            /** Format: date-time */
            startedAt: string | null;
            /** Format: date-time */
            serverTime: string;
            desired: components["schemas"]["Desired"];
            actions: components["schemas"]["Action"][];
            stages: components["schemas"]["Stage"][];
            failure: components["schemas"]["Failure"] | null;
            queue: components["schemas"]["QueuePlace"] | null;
        };
        SandboxWish: {
            envVars?: {
                [key: string]: string;
            };
        };
        SandboxAnswer: {
            /** @enum {string} */
            status: "created" | "already_running" | "terminating" | "terminated" | "not_found";
            message: string;
            sandbox?: components["schemas"]["Sandbox"];
            attempt?: number;
            eventsUrl?: string;
        };
        Deletion: {
            /** @enum {string} */
            status: "terminating" | "deleted";
            message: string;
        };
        ActionAnswer: {
            message: string;
            project: {
                id: string;
                status: string;
                /** Format: date-time */
                updatedAt: string;
            };
            eventsUrl: string;
        };
        Success: {
            /** @constant */
            success: true;
        };
        /** @enum {string} */
        Category: "general" | "auth" | "payment" | "ttyd" | "file_browser" | "secret";
        Variable: {
            id: string;
            projectId: string;
            key: string;
            /** @description null where it is secret and was not asked for (`reveal=true`). */
            value: string | null;
            category: components["schemas"]["Category"];
            isSecret: boolean;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
        };
        Variables: {
            general: components["schemas"]["Variable"][];
            auth: components["schemas"]["Variable"][];
            payment: components["schemas"]["Variable"][];
            ttyd: components["schemas"]["Variable"][];
            file_browser: components["schemas"]["Variable"][];
            secret: components["schemas"]["Variable"][];
        };
        VariableWish: {
            key: string;
            /** @description At most 32768 bytes of UTF-8. */
            value?: string;
            category?: components["schemas"]["Category"];
            isSecret?: boolean;
            /** @description false: a running sandbox gets it at its next start. */
            updateDeployment?: boolean;
        };
        VariablesWish: {
            /** @description No key twice. */
            variables: components["schemas"]["VariableWish"][];
            /** @description false: nothing is removed. true, and without it: every other variable of the categories that are named is. */
            replace?: boolean;
            updateDeployment?: boolean;
        };
        VariablesAnswer: {
            /** @constant */
            success: true;
            count: number;
        };
        Cluster: {
            name: string;
            isDefault: boolean;
            /** @enum {string} */
            status: "starting" | "available" | "unreachable";
        };
        User: {
            id: string;
            name?: string | null;
            email?: string | null;
            image?: string | null;
            isAdmin?: boolean;
        };
        Session: {
            user: components["schemas"]["User"];
            /** Format: date-time */
            expires: string;
        };
        SessionInfo: {
            id: string;
            userAgent: string;
            address: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            lastUsedAt: string | null;
            /** Format: date-time */
            expiresAt: string;
            current: boolean;
        };
        /** @enum {string} */
        Scope: "read" | "write" | "admin";
        Token: {
            id: string;
            name: string;
            prefix: string;
            scopes: components["schemas"]["Scope"][];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string | null;
            /** Format: date-time */
            lastUsedAt: string | null;
        };
        NewToken: {
            id: string;
            name: string;
            prefix: string;
            scopes: components["schemas"]["Scope"][];
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            expiresAt: string | null;
            /** Format: date-time */
            lastUsedAt: string | null;
            /** @description Told this once. */
            token: string;
        };
        TokenWish: {
            name: string;
            scopes?: components["schemas"]["Scope"][];
            expiresInDays?: number;
        };
        Version: {
            name?: string;
            version?: string;
        };
        /** @description RFC 9457, beside it the members of the original. */
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            instance?: string;
            /** @description The detail, where clients of the original read it. */
            error: string;
            details?: {
                /** @description The same word as code. */
                name: string;
                message: string;
                /** @description The reason that a Kubernetes API gave; only when the error is one of its answers. */
                kubernetesStatus?: string;
            };
            projectId?: string;
            errors?: {
                /** @description A JSON pointer as a URI fragment, or a parameter's name. */
                pointer: string;
                detail: string;
            }[];
            /** Format: date-time */
            timestamp?: string;
            requestId?: string;
            hint?: string;
            /** @description What it is, for programs: TooManyProjects, TooManySandboxes, QueueFull, …; else the kind of error. */
            code?: string;
            /** @description Of how many there may be, where that was met. */
            limit?: number;
            /** @description How many there are. */
            current?: number;
        };
        StageEvent: {
            seq: number;
            projectId: string;
            attempt: number;
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            /** Format: date-time */
            at: string;
            durationMs: number | null;
            stage: components["schemas"]["StageId"];
            title: string;
            status: components["schemas"]["StageStatus"];
        };
        StatusEvent: {
            seq: number;
            projectId: string;
            attempt: number;
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            /** Format: date-time */
            at: string;
            durationMs: number | null;
            status: components["schemas"]["SandboxState"];
            /**
             * Format: date-time
             * @description Of an announced stop (IDLE_SOON, AGE_SOON).
             */
            stopsAt?: string;
        };
        DoneEvent: {
            seq: number;
            projectId: string;
            attempt: number;
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            /** Format: date-time */
            at: string;
            durationMs: number | null;
            status: components["schemas"]["SandboxState"];
            outcome: components["schemas"]["Outcome"];
        };
        Snapshot: {
            seq: number;
            projects: components["schemas"]["Project"][];
        };
        Limits: {
            /** @description The project's own; null: as the server is configured, 0: never. */
            idleStopSeconds: number | null;
            maxAgeSeconds: number | null;
            effective: {
                idleStopSeconds: number | null;
                maxAgeSeconds: number | null;
                warningSeconds: number | null;
            };
            /** Format: date-time */
            lastActiveAt: string | null;
            /** Format: date-time */
            stopsAt: string | null;
            stopsFor: ("idle" | "age") | null;
        };
        Orphans: {
            clusters: {
                cluster: string;
                /** @enum {string} */
                result: "never" | "complete" | "partial" | "unknown";
                detail: string | null;
                /** Format: date-time */
                endedAt: string | null;
                objects: number;
                counts: {
                    known: number;
                    foreign: number;
                    stranger: number;
                    unnamed: number;
                    attached: number;
                    data: number;
                    going: number;
                    waiting: number;
                    due: number;
                    removed: number;
                    refused: number;
                    missing: number;
                };
            }[];
            findings: {
                cluster: string;
                kind: string;
                name: string;
                uid: string | null;
                projectId: string | null;
                /** @enum {string} */
                verdict: "known" | "foreign" | "stranger" | "unnamed" | "attached" | "data" | "going" | "waiting" | "due" | "removed" | "refused" | "missing";
                meaning: string;
                detail: string | null;
                /** Format: date-time */
                createdAt: string | null;
                /** Format: date-time */
                firstSeenAt: string | null;
            }[];
        };
        Database: {
            host: string;
            port: number;
            name: string;
            user: string;
            password: string;
            connectionString?: string;
        };
        /** @description A creation that waits for its turn, as told last. */
        QueuePlace: {
            /** @description 1 is next. */
            position: number;
            /** @description How long it will probably wait; null: not known. */
            estimateMs: number | null;
            /** Format: date-time */
            since: string;
        };
        /** @description A creation waits for its turn. Told again when its place has moved, not each time. */
        QueuedEvent: {
            seq: number;
            projectId: string;
            attempt: number;
            code: components["schemas"]["Reason"] | null;
            message: string | null;
            hint: string | null;
            /** Format: date-time */
            at: string;
            durationMs: number | null;
            status: components["schemas"]["SandboxState"];
            /** @description 1 is next. */
            position: number;
            /** @description How long it will probably wait; null: not known. */
            estimateMs: number | null;
        };
        AuditEntry: {
            id: string;
            /** Format: date-time */
            at: string;
            /** @description Null: nobody was signed in. */
            userId: string | null;
            /** @description As of today; null: the user is gone. */
            userName: string | null;
            /** @enum {string|null} */
            credential: "session" | "token" | "none" | null;
            /** @description Of the API token that it came by. */
            tokenId: string | null;
            /** @description Method and route, with a space between. */
            action: string;
            /** @enum {string|null} */
            subjectKind: "project" | "user" | "other" | null;
            /** @description What the path names. */
            subjectId: string | null;
            /** @description Of the answer; null: the client left before it. */
            status: number | null;
            address: string | null;
            requestId: string | null;
        };
        UserInfo: {
            id: string;
            name: string;
            email: string | null;
            image: string | null;
            /** @enum {string} */
            role: "user" | "admin";
            /** @description Then the role cannot be taken away here. */
            isAdminByConfiguration: boolean;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: date-time
             * @description To about a minute.
             */
            lastSeenAt: string | null;
            projects: number;
            runningSandboxes: number;
        };
        AnyProject: {
            /** @description Its owner's. */
            userName: string;
            id: string;
            name: string;
            description: string | null;
            cluster: string;
            userId: string;
            githubRepo: string | null;
            /** @description Never told here: it holds a password. See sync-database. */
            databaseUrl: null;
            /** @enum {string} */
            status: "READY" | "DEPLOYING" | "DEPLOYED" | "ERROR";
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            updatedAt: string;
            sandbox: components["schemas"]["ProjectSandbox"] | null;
        };
        /** @description What NextAuth's clients post. Each field once, percent-encoded UTF-8 without NUL. */
        NextAuthForm: {
            /** @description As in JSON. At most 2000 bytes of UTF-8. */
            callbackUrl?: string;
            /** @description Of GET /api/auth/csrf; taken and not looked at. At most 512 bytes of UTF-8. */
            csrfToken?: string;
            /** @description "true": the answer is JSON, not a redirect. At most 16 bytes of UTF-8. */
            json?: string;
            /** @description For the client itself; not looked at. At most 16 bytes of UTF-8. */
            redirect?: string;
        };
        Repository: {
            /** @description owner/name, as GitHub writes it. */
            githubRepo: string | null;
            /** @description Where people look at it; null also on a server that does not know GitHub. */
            url: string | null;
            private: boolean | null;
            connected: boolean;
            /**
             * Format: date-time
             * @description When GitHub told this. Nothing is asked there to answer a GET.
             */
            checkedAt: string | null;
            /** @description One whose creation was begun and whose end is not known. The same POST finishes it, DELETE forgets it. */
            pendingRepo: string | null;
        };
        RepositoryWish: {
            /** @description owner/name; with create also name alone, for the user's own. Not ".", not "..", and without .git at its end. */
            repoName: string;
            /** @description It is made, and must not be there yet. Without it, or false: it has to be there. */
            create?: boolean;
            /** @description Of one that is made; without it true. */
            private?: boolean;
        };
        RepositoryAnswer: {
            /** @constant */
            success: true;
            /** @description owner/name, as GitHub writes it. */
            githubRepo: string | null;
            /** @description Where people look at it; null also on a server that does not know GitHub. */
            url: string | null;
            private: boolean | null;
        };
        ProjectGone: {
            message: string;
            project: {
                id: string;
                status: string;
                /** Format: date-time */
                updatedAt: string;
            };
        };
        SandboxActionAnswer: {
            message: string;
            sandbox: {
                id: string;
                status: components["schemas"]["SandboxStatus"];
                /** Format: date-time */
                updatedAt: string;
            };
            eventsUrl: string;
        };
        SandboxBrief: {
            status: components["schemas"]["SandboxStatus"];
            /** @description Why it is so, where there is something to say. */
            message?: string;
            /** Format: date-time */
            lastUpdated: string;
        };
        Repositories: {
            repositories: components["schemas"]["ListedRepository"][];
            /** @description In this page. */
            count: number;
        };
        ListedRepository: {
            /** @description GitHub's; it stays when the name changes. */
            id: number;
            name: string;
            /** @description owner/name: what a project is connected with. */
            fullName: string;
            private: boolean;
            /** Format: uri */
            htmlUrl: string;
            defaultBranch: string | null;
            /** Format: date-time */
            updatedAt: string | null;
            /** @description The user may change it. */
            canPush: boolean;
        };
        StreamEvents: {
            reset: components["schemas"]["Snapshot"];
            stage: components["schemas"]["StageEvent"];
            status: components["schemas"]["StatusEvent"];
            done: components["schemas"]["DoneEvent"];
            queued: components["schemas"]["QueuedEvent"];
        };
    };
    responses: {
        /** @description What a connection answers before it knows what is asked for: 408, 414, 417, 431, 501, 505; and 500, a fault of the server's, logged under the answer's requestId. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something sent is not as described; `errors` says what. */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not signed in, or no longer. */
        Unauthorized: {
            headers: {
                "WWW-Authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Signed in, but not for this; or asked by another site's page. */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is none, or none of yours. */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description In conflict with what there is, with a limit, or with the same request under way. */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is longer than it may be. */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A body has to be application/json. */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The Idempotency-Key was used for another request; or, of a repository, GitHub does not accept it. */
        KeyReused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too often, or a queue is full. */
        TooManyRequests: {
            headers: {
                /** @description Seconds. */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A part of the server is away or full, or it is ending; the same request may succeed later. */
        NotNow: {
            headers: {
                /** @description Seconds. */
                "Retry-After"?: number;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A part of the server took too long; the same request may succeed later. */
        TookTooLong: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description GitHub's answer cannot be read. */
        BadGateway: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
        IdempotencyKey: string;
        /** @description Of an ETag: 304 where it is still that. */
        IfNoneMatch: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    tellThatTheProcessRuns: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It runs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Problem"];
        };
    };
    tellWhetherRequestsCanBeServed: {
        parameters: {
            query?: {
                /** @description A line for each part. */
                verbose?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They can. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description They cannot. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    "tellWhetherRequestsCanBeServed(oldName)": {
        parameters: {
            query?: {
                /** @description A line for each part. */
                verbose?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description They can. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description They cannot. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    tellTheVersion: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Version"];
                };
            };
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Problem"];
        };
    };
    tellTheMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus text. 404 where the operator serves them elsewhere. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Problem"];
        };
    };
    explainAProblemType: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it means. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            default: components["responses"]["Problem"];
        };
    };
    describeThisApi: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            default: components["responses"]["Problem"];
        };
    };
    signInByAOneTimeLink: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description At most 200 bytes of UTF-8. */
                    token: string;
                };
            };
        };
        responses: {
            /** @description Signed in; the cookie is set. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    tellWhoIsSignedIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"] | null;
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description JSON may be any and is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
                "application/x-www-form-urlencoded": components["schemas"]["NextAuthForm"];
            };
        };
        responses: {
            /** @description Where the browser goes next: callbackUrl if it is here, else the first page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        url: string;
                    };
                };
            };
            /** @description The same for a page's own form: one without json=true and without X-Auth-Return-Redirect. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listWhereOneIsSignedIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionInfo"][];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    signOutEverywhere: {
        parameters: {
            query?: {
                /** @description true: this browser stays signed in. */
                others?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Success"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    endOneSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Success"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listApiTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"][];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    makeAnApiToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenWish"];
            };
        };
        responses: {
            /** @description Made. Its text is told this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    revokeAnApiToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Success"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listProjects: {
        parameters: {
            query?: {
                /** @description Projects a page. */
                limit?: number;
                /** @description Of a Link field. */
                cursor?: string;
                /** @description In name or description, in either case. */
                keyword?: string;
                /** @description A day or a time. */
                createdFrom?: string | "";
                /** @description A day, included, or a time. */
                createdTo?: string | "";
            };
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last changed first, 1000 at most. */
            200: {
                headers: {
                    /** @description RFC 8288, rel="next": where the next page is. */
                    Link?: string;
                    /** @description Where an event stream goes on from. */
                    "X-Journal-Seq"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"][];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    makeAProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectWish"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    readAProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Project"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    deleteAProject: {
        parameters: {
            query?: {
                /** @description true: its database stays in the cluster. */
                keepDatabase?: boolean;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deletion"];
                };
            };
            /** @description It is being deleted; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deletion"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    startAProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is so. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            /** @description Begun; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    stopAProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is so. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            /** @description Begun; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    restartAProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is so. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            /** @description Begun; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    deleteAProjectByPost: {
        parameters: {
            query?: {
                /** @description true: its database stays in the cluster. */
                keepDatabase?: boolean;
            };
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Gone. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectGone"];
                };
            };
            /** @description It is being deleted; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    startASandbox: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is so. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxActionAnswer"];
                };
            };
            /** @description Begun; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxActionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    stopASandbox: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is so. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxActionAnswer"];
                };
            };
            /** @description Begun; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxActionAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    readASandboxsStatus: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxBrief"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listVariables: {
        parameters: {
            query?: {
                /** @description true: secret values too. */
                reveal?: boolean;
            };
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variables"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    writeVariables: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VariableWish"] | components["schemas"]["VariablesWish"];
            };
        };
        responses: {
            /** @description Stored. A running sandbox gets them by a restart of its container. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variable"] | components["schemas"]["VariablesAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    changeAVariableSValue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                envId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description At most 32768 bytes of UTF-8. */
                    value: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Variable"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    removeAVariable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                envId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Success"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listRepositoriesAtGitHub: {
        parameters: {
            query?: {
                /** @description Repositories a page; 30 if not told. */
                limit?: number;
                /** @description GitHub counts in pages: what changes between two of them may be told twice or not at all. */
                page?: number;
            };
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last changed first. */
            200: {
                headers: {
                    /** @description RFC 8288, rel="next": where the next page is. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repositories"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listClusters: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cluster"][];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    readASandbox: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxDocument"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    createASandboxOrRetry: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SandboxWish"];
            };
        };
        responses: {
            /** @description It runs already. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxAnswer"];
                };
            };
            /** @description Begun, or under way; the stream tells the end. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    terminateOrCancelASandbox: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is none. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxAnswer"];
                };
            };
            /** @description It is being terminated; its database is kept. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SandboxAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    streamASandboxSEvents: {
        parameters: {
            query?: {
                /** @description As Last-Event-ID, which wins. */
                after?: number;
            };
            header?: {
                "Last-Event-ID"?: number;
            };
            path: {
                projectId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description text/event-stream (WHATWG HTML 9.2). `id` is the event's number in its owner's journal: Last-Event-ID resumes after it, on any replica. Events: `reset` (a snapshot), `stage`, `status`, `done`; others may come and can be passed over. A comment every 15 s. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Nothing is left to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    streamTheEventsOfAllProjects: {
        parameters: {
            query?: {
                /** @description As Last-Event-ID, which wins. */
                after?: number;
            };
            header?: {
                "Last-Event-ID"?: number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description text/event-stream (WHATWG HTML 9.2). `id` is the event's number in its owner's journal: Last-Event-ID resumes after it, on any replica. Events: `reset` (a snapshot), `stage`, `status`, `done`; others may come and can be passed over. A comment every 15 s. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description Nothing is left to tell. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    readAProjectSLimits: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    setAProjectSLimits: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    idleStopSeconds?: number | 0 | null;
                    maxAgeSeconds?: number | 0 | null;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limits"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    sayThatAProjectIsUsed: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Noted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listWaysOfSigningIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        github?: {
                            id: string;
                            name: string;
                            type: string;
                            signinUrl: string;
                            callbackUrl: string;
                        };
                    };
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    showThePageForSigningIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To where it goes on. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    showThePageForSigningInWithAProvider: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To where it goes on. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    beginToSignInWithAProvider: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @description A path of this server, or its own address. At most 2000 bytes of UTF-8. */
                    callbackUrl?: string;
                };
                "application/x-www-form-urlencoded": components["schemas"]["NextAuthForm"];
            };
        };
        responses: {
            /** @description Where the browser goes; a cookie ties it to this one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uri */
                        url: string;
                    };
                };
            };
            /** @description The same for a page's own form: one without json=true and without X-Auth-Return-Redirect. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    endSigningInWithAProvider: {
        parameters: {
            query?: {
                /** @description Of the provider. */
                code?: string;
                /** @description As it was sent. */
                state?: string;
                /** @description Of the provider. */
                error?: string;
            };
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To where it goes on. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    getATokenThatClientsOfTheOriginalAskFor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        csrfToken: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    beginToSignInAProgram: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name?: string;
                    scopes?: components["schemas"]["Scope"][];
                };
            };
        };
        responses: {
            /** @description RFC 8628 3.2. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        device_code: string;
                        user_code: string;
                        verification_uri: string;
                        verification_uri_complete: string;
                        expires_in: number;
                        interval: number;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    askWhetherAProgramIsSignedIn: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @constant */
                    grant_type?: "urn:ietf:params:oauth:grant-type:device_code";
                    /** @description At most 100 bytes of UTF-8. */
                    device_code: string;
                    /** @description At most 100 bytes of UTF-8. */
                    client_id?: string;
                };
            };
        };
        responses: {
            /** @description Told this once. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        access_token: string;
                        token_type: string;
                        expires_in: number;
                        scopes: components["schemas"]["Scope"][];
                    };
                };
            };
            /** @description Not yet, or no more: RFC 8628 3.5. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        error: "authorization_pending" | "slow_down" | "access_denied" | "expired_token" | "unsupported_grant_type";
                    };
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    readWhatAProgramAsksFor: {
        parameters: {
            query?: {
                /** @description As the program shows it. */
                user_code?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        scopes: components["schemas"]["Scope"][];
                        userAgent: string;
                        address: string;
                        /** Format: date-time */
                        expiresAt: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    allowOrDenyAProgram: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description At most 64 bytes of UTF-8. */
                    userCode: string;
                    allow: boolean;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Success"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    lockAUserOut: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out everywhere, API tokens revoked. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Success"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listWhatNoRowNeeds: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the last sweep of each cluster found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Orphans"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description Entries a page, 100 if not said. */
                limit?: number;
                /** @description Of a Link field. */
                cursor?: string;
                /** @description Id of who asked. */
                user?: string;
                /** @description Id of the project that was changed. */
                project?: string;
                /** @description Id of the user that was changed: whose role or sessions. */
                ofUser?: string;
                /** @description Method and route, with a space between: `DELETE /api/projects/{id}`. */
                action?: string;
                /** @description One (403), a class of them (4xx), or `none`: no answer. */
                status?: string;
                /** @description A day or a time. */
                since?: string | "";
                /** @description A day, included, or a time, not included. */
                until?: string | "";
            };
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first. */
            200: {
                headers: {
                    /** @description RFC 8288, rel="next": where the next page is. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEntry"][];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listProjectsOfAll: {
        parameters: {
            query?: {
                /** @description Projects a page, 100 if not said. */
                limit?: number;
                /** @description Of a Link field. */
                cursor?: string;
                /** @description Id of a user. */
                owner?: string;
                /** @description Of the sandbox, as it is stored; `none`: there is none. */
                status?: "none" | "creating" | "starting" | "running" | "stopping" | "stopped" | "error" | "terminating" | "terminated";
                /** @description In name or description, in either case. */
                keyword?: string;
                /** @description A day or a time. */
                createdFrom?: string | "";
                /** @description A day, included, or a time. */
                createdTo?: string | "";
            };
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The last changed first. */
            200: {
                headers: {
                    /** @description RFC 8288, rel="next": where the next page is. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AnyProject"][];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description Users a page, 100 if not said. */
                limit?: number;
                /** @description Of a Link field. */
                cursor?: string;
                /** @description In name or email, in either case, or the id. */
                keyword?: string;
            };
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The newest first. */
            200: {
                headers: {
                    /** @description RFC 8288, rel="next": where the next page is. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserInfo"][];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserInfo"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    setRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    role: "user" | "admin";
                };
            };
        };
        responses: {
            /** @description As the user is now. Who loses the role is signed out everywhere, and loses API tokens with the scope admin. The last administrator keeps it: 409. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserInfo"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    tellHowToReachTheDatabase: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With its password: a token needs the scope write. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        database: components["schemas"]["Database"];
                    };
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    tellHowToReachTheDatabaseAsClientsOfTheOriginalAsk: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        /** @description May be any JSON; it is not looked at. */
        requestBody?: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        message: string;
                        database: components["schemas"]["Database"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    tellTheRepositoryOfAProject: {
        parameters: {
            query?: never;
            header?: {
                /** @description Of an ETag: 304 where it is still that. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Repository"];
                };
            };
            /** @description The client has it already. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    connectAProjectWithARepository: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body within 24 hours get the same answer and do nothing twice; another body gets 422, one that is under way 409. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RepositoryWish"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RepositoryAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["KeyReused"];
            429: components["responses"]["TooManyRequests"];
            502: components["responses"]["BadGateway"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
    disconnectAProjectFromItsRepository: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["TooManyRequests"];
            503: components["responses"]["NotNow"];
            504: components["responses"]["TookTooLong"];
            default: components["responses"]["Problem"];
        };
    };
}
